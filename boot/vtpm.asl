/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The device of the vTPM: TCG PC Client Platform TPM Profile 1.05, 8; window of monitor/abi/tpm.h. Of
 * the registers the first page alone: a hidden device of firmware's (hide.h) keeps its resources, which
 * are this page at least, and Linux takes none that lies in two of which neither has the other in it.
 * Physical Presence Interface 1.30, 2: registers of vtpm/ppi.h.
 */
DefinitionBlock ("ssdt.aml", "SSDT", 2, "RDOUBT", "VTPM", 1)
{
    Scope (\_SB)
    {
        Device (RTPM)
        {
            Name (_HID, "MSFT0101")
            Name (_STR, Unicode ("TPM 2.0 Device"))
            Name (_STA, 0x0F)
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xFED40000, 0x00001000)
                Memory32Fixed (ReadWrite, 0xFED45000, 0x00006000)
            })

            OperationRegion (PPIR, SystemMemory, 0xFED40800, 0x10)
            Field (PPIR, DWordAcc, NoLock, Preserve)
            {
                SUBM, 32,
                PEND, 32,
                LAST, 32,
                RESP, 32
            }

            /* Waits for the disk; stores again what may have been passed over. 2: general failure. */
            Method (SREQ, 1, Serialized)
            {
                If (Arg0 > 0xFF)
                {
                    Return (1)
                }
                Local0 = 1000
                SUBM = Arg0 | 0x80000000
                Local1 = SUBM
                While ((Local1 & 0x80000000) && Local0)
                {
                    Sleep (10)
                    Local1 = SUBM
                    If (Local1 & 0x80000000)
                    {
                        SUBM = Arg0 | 0x80000000
                    }
                    Local0--
                }
                If (Local1 & 0x80000000)
                {
                    Return (2)
                }
                Return (Local1)
            }

            /* 4: nobody is asked, 3: who is at the machine is, 0: not implemented. */
            Method (CONF, 1, NotSerialized)
            {
                If (Arg0 == 0)
                {
                    Return (4)
                }
                If (Arg0 == 5 || Arg0 == 14 || Arg0 == 21 || Arg0 == 22)
                {
                    Return (3)
                }
                Return (0)
            }

            Method (PPI, 3, Serialized)
            {
                If (Arg1 == 0)  /* which functions there are */
                {
                    Return (Buffer () { 0xFF, 0x01 })
                }
                If (Arg1 == 1)  /* version */
                {
                    Return ("1.3")
                }
                If (Arg1 == 2 || Arg1 == 7)  /* request an operation */
                {
                    Return (SREQ (ToInteger (DerefOf (Arg2 [0]))))
                }
                If (Arg1 == 3)  /* what is requested; from revision 2 on with its parameter */
                {
                    Local0 = Package () { 0, 0, 0 }
                    If (Arg0 == 1)
                    {
                        Local0 = Package () { 0, 0 }
                    }
                    Local0 [1] = PEND
                    Return (Local0)
                }
                If (Arg1 == 4)  /* what makes it be asked: a restart */
                {
                    Return (2)
                }
                If (Arg1 == 5)  /* what became of the last one */
                {
                    Local0 = Package () { 0, 0, 0 }
                    Local0 [1] = LAST
                    Local0 [2] = RESP
                    Return (Local0)
                }
                If (Arg1 == 6)  /* the user's language: not implemented */
                {
                    Return (3)
                }
                If (Arg1 == 8)  /* whether somebody is asked */
                {
                    Return (CONF (ToInteger (DerefOf (Arg2 [0]))))
                }
                Return (Buffer () { 0 })
            }

            Method (_DSM, 4, Serialized)
            {
                If (Arg0 == ToUUID ("3dddfaa6-361b-4eb4-a424-8d10089d1653"))
                {
                    Return (PPI (ToInteger (Arg1), ToInteger (Arg2), Arg3))
                }
                Return (Buffer () { 0 })
            }
        }
    }
}
