/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The device of the vTPM: TCG PC Client Platform TPM Profile 1.05, 8; window of monitor/abi/tpm.h. Of
 * the registers the first page alone: a hidden device of firmware's (hide.h) keeps its resources, which
 * are this page at least, and Linux takes none that lies in two of which neither has the other in it.
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
        }
    }
}
