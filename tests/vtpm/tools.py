#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The host program under Debian's tpm2-tools: everything a guest will do with it, and failure mode.

usage: tools.py VTPM BROKEN

Each tool is a process of its own and starts the program anew, so each step is also a resumption of
the states that the step before it left. Signatures are checked by OpenSSL.
"""
import pathlib
import subprocess
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "emu")]
import host as vtpm  # noqa: E402
from host import Host, code_of, command  # noqa: E402
from tap import Tap  # noqa: E402

CURVES = ("ecc192", "ecc224", "ecc256", "ecc384", "ecc521")
OTHER_CURVES = {"bn_p256": 0x10, "bn_p638": 0x11, "sm2": 0x20}
NULL, ENDORSEMENT, OWNER, PASSWORD = 0x40000007, 0x4000000b, 0x40000001, 0x40000009


def openssl(folder, arguments):
    done = subprocess.run(["openssl", *arguments.split()], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode == 0, done.stdout


def steps(tap, tpm, what, text):
    why = tpm.tools(text)
    return tap.check(not why, what, why)


def test_start(tap, tpm):
    steps(tap, tpm, "a new TPM gives random numbers, and tests itself", "getrandom --hex 8\nselftest --fulltest\ngettestresult")
    tap.check("success" in tpm.said.lower(), "the full self test has passed", tpm.said)
    tpm.tool("getrandom --hex 16")
    first = tpm.said
    tpm.tool("getrandom --hex 16")
    tap.check(len(first) >= 32 and first != tpm.said, "random numbers differ from run to run", first)


def test_pcrs(tap, tpm):
    digest = "11" * 32
    steps(tap, tpm, "PCRs are extended and read", f"pcrextend 10:sha256={digest}\npcrread sha256:10 -o pcr10")
    import hashlib
    wanted = hashlib.sha256(bytes(32) + bytes.fromhex(digest)).digest()
    tap.check((tpm.folder / "pcr10").read_bytes() == wanted, "the PCR has the value that the specification gives it")


def test_keys(tap, tpm, algorithm, kind):
    """A primary key, a child of it that signs, a quote of the child's; `kind` is for OpenSSL."""
    why = tpm.tools(f"""
        createprimary -C o -G {algorithm} -c prim-{algorithm}.ctx
        create -C prim-{algorithm}.ctx -G {kind} -u {kind}.pub -r {kind}.priv
        load -C prim-{algorithm}.ctx -u {kind}.pub -r {kind}.priv -c {kind}.ctx
        readpublic -c {kind}.ctx -f pem -o {kind}.pem
        sign -c {kind}.ctx -g sha256 -f plain -o {kind}.sig message
        verifysignature -c {kind}.ctx -g sha256 -m message -s {kind}.tsssig""".replace(
            f"-f plain -o {kind}.sig message", f"-o {kind}.tsssig message"))
    why = why or tpm.tools(f"sign -c {kind}.ctx -g sha256 -f plain -o {kind}.sig message")
    tap.check(not why, f"{algorithm}: a primary, {kind} created under it, loaded, signs, verified by the TPM", why)
    good, said = openssl(tpm.folder, f"dgst -sha256 -verify {kind}.pem -signature {kind}.sig message")
    tap.check(good, f"{kind}: OpenSSL verifies the signature", said)
    (tpm.folder / "other").write_bytes(b"another message")
    good, said = openssl(tpm.folder, f"dgst -sha256 -verify {kind}.pem -signature {kind}.sig other")
    tap.check(not good, f"{kind}: and not that of another message", said)


def test_curves(tap, tpm):
    for curve in CURVES:
        name = curve.replace("ecc", "")
        digest = {"521": "sha512", "384": "sha384"}.get(name, "sha256")
        why = tpm.tools(f"""
            createprimary -C o -G {curve}:ecdsa-{digest}:null -a sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth -c c.ctx
            readpublic -c c.ctx -f pem -o c.pem
            sign -c c.ctx -g {digest} -f plain -o c.sig message""".replace("-a sign|", "-a 'sign|").replace("userwithauth -c", "userwithauth' -c"))
        good, said = openssl(tpm.folder, f"dgst -{digest} -verify c.pem -signature c.sig message")
        tap.check(not why and good, f"P-{name}: a primary signs, OpenSSL verifies", why or said)


def ecc_primary(curve, scheme=0x18):
    """TPM2_CreatePrimary of a signing key on a curve."""
    parameters = struct_pack("HHHHH", 0x10, scheme, 0xb, curve, 0x10)
    public = struct_pack("HHI", 0x23, 0xb, 0x00040072) + b"\0\0" + parameters + bytes(4)
    body = struct_pack("II", OWNER, 9) + struct_pack("IHBH", PASSWORD, 0, 0, 0)
    body += struct_pack("HHH", 4, 0, 0) + struct_pack("H", len(public)) + public + struct_pack("HI", 0, 0)
    return command(0x131, body, vtpm.SESSIONS)


def struct_pack(form, *values):
    import struct
    return struct.pack(">" + form, *values)


def sign(handle, digest):
    body = struct_pack("II", handle, 9) + struct_pack("IHBH", PASSWORD, 0, 0, 0)
    body += struct_pack("H", len(digest)) + digest + struct_pack("H", 0x10) + struct_pack("HIH", 0x8024, NULL, 0)
    return command(0x15d, body, vtpm.SESSIONS)


def test_other_curves(tap, tpm):
    """Those that the tools have no name for: made, signed with, verified, in one run."""
    import struct
    for name, curve in OTHER_CURVES.items():
        made = tpm.send([ecc_primary(curve, 0x18 if name != "sm2" else 0x1b)])
        if not tap.check(made and code_of(made[0]) == 0, f"{name}: a primary is made", f"{made} {tpm.error}"):
            tap.check(False, f"{name}: it signs and the signature is verified")
            continue
        handle = struct.unpack_from(">I", made[0], 10)[0]
        digest = bytes(range(32))
        signed = tpm.send([sign(handle, digest)] * 2)
        signature = signed[1][14:-5] if signed and code_of(signed[1]) == 0 else b""
        verify = command(0x177, struct_pack("IH", handle, 32) + digest + signature)
        wrong = command(0x177, struct_pack("IH", handle, 32) + digest[::-1] + signature)
        checked = tpm.send([verify, wrong, command(0x165, struct_pack("I", handle))])
        tap.check(signature and checked and [code_of(r) != 0 for r in checked] == [False, True, False],
                  f"{name}: it signs and the signature is verified, another message's is not",
                  f"{signed} {checked} {tpm.error}")


def test_quote(tap, tpm, kind, algorithm, scheme):
    why = tpm.tools(f"""
        createek -c ek-{kind}.ctx -G {algorithm} -u ek-{kind}.pub
        createak -C ek-{kind}.ctx -c ak-{kind}.ctx -G {algorithm} -g sha256 -s {scheme} -u ak-{kind}.pem -f pem -n ak.name
        quote -c ak-{kind}.ctx -l sha256:0,10 -q 0123456789abcdef -m q.msg -s q.sig -o q.pcrs -g sha256
        checkquote -u ak-{kind}.pem -m q.msg -s q.sig -f q.pcrs -g sha256 -q 0123456789abcdef""")
    tap.check(not why, f"{kind}: EK and AK, a quote that tpm2_checkquote finds right", why)
    tap.check(tpm.tool(f"checkquote -u ak-{kind}.pem -m q.msg -s q.sig -f q.pcrs -g sha256 -q 0123456789abcdee", good=False),
              f"{kind}: and not with another nonce", tpm.error)
    tpm.tools("flushcontext -l\nflushcontext -s")


def test_rsa_encryption(tap, tpm):
    why = tpm.tools("""
        createprimary -C o -G rsa2048 -c p.ctx
        create -C p.ctx -G rsa2048 -u e.pub -r e.priv
        load -C p.ctx -u e.pub -r e.priv -c e.ctx
        readpublic -c e.ctx -f pem -o e.pem""")
    tap.check(not why, "an RSA key to decrypt with", why)
    (tpm.folder / "plain").write_bytes(b"sixteen bytes...")
    for scheme, pad in (("oaep", "oaep"), ("rsaes", "pkcs1")):
        good, said = openssl(tpm.folder, f"pkeyutl -encrypt -pubin -inkey e.pem -in plain -out secret "
                                         f"-pkeyopt rsa_padding_mode:{pad}"
                                         + (" -pkeyopt rsa_oaep_md:sha256" if pad == "oaep" else ""))
        why = tpm.tools(f"rsadecrypt -c e.ctx -s {scheme} -o back secret")
        tap.check(good and not why and (tpm.folder / "back").read_bytes() == b"sixteen bytes...",
                  f"{scheme}: the TPM decrypts what OpenSSL encrypted", why or said)
        why = tpm.tools(f"rsaencrypt -c e.ctx -s {scheme} -o secret plain\nrsadecrypt -c e.ctx -s {scheme} -o back secret")
        tap.check(not why and (tpm.folder / "back").read_bytes() == b"sixteen bytes...", f"{scheme}: and its own", why)


def test_seal(tap, tpm):
    (tpm.folder / "secret").write_bytes(b"a secret that is sealed")
    why = tpm.tools("""
        createprimary -C o -G ecc256 -c p.ctx
        pcrread sha256:10,16 -o pcrs
        createpolicy --policy-pcr -l sha256:10,16 -f pcrs -L pcr.policy
        create -C p.ctx -i secret -u s.pub -r s.priv -L pcr.policy
        load -C p.ctx -u s.pub -r s.priv -c s.ctx
        unseal -c s.ctx -p pcr:sha256:10,16 -o opened""")
    tap.check(not why and (tpm.folder / "opened").read_bytes() == b"a secret that is sealed",
              "sealed to PCRs and unsealed", why)
    tpm.tools(f"pcrextend 16:sha256={'22' * 32}")
    tap.check(tpm.tool("unseal -c s.ctx -p pcr:sha256:10,16 -o opened2", good=False), "refused once a PCR has changed",
              tpm.error)
    why = tpm.tools("pcrreset 16")
    tap.check(not why and tpm.tool("unseal -c s.ctx -p pcr:sha256:10,16 -o opened3"), "and opened after its reset",
              why or tpm.error)


def test_sessions(tap, tpm):
    """A salted session with parameter encryption carries a password and unseals."""
    why = tpm.tools("""
        createprimary -C o -G rsa2048 -c sp.ctx
        create -C sp.ctx -i secret -u h.pub -r h.priv -p objectpw
        load -C sp.ctx -u h.pub -r h.priv -c h.ctx
        startauthsession --hmac-session -c sp.ctx -S hs.ctx
        sessionconfig hs.ctx --enable-encrypt --enable-decrypt
        unseal -c h.ctx -p session:hs.ctx+objectpw -o opened4
        flushcontext hs.ctx""")
    tap.check(not why and (tpm.folder / "opened4").read_bytes() == b"a secret that is sealed",
              "a salted session with encryption", why)
    tpm.tools("""startauthsession --hmac-session -c sp.ctx -S hs2.ctx
        sessionconfig hs2.ctx --enable-encrypt --enable-decrypt""")
    tap.check(tpm.tool("unseal -c h.ctx -p session:hs2.ctx+wrong -o opened5", good=False), "and not with a wrong password",
              tpm.error)
    tpm.tool("flushcontext -l")
    why = tpm.tools("""
        startauthsession --policy-session -S ps.ctx
        policycommandcode -S ps.ctx -L cc.policy 0x15e
        flushcontext ps.ctx
        create -C sp.ctx -i secret -u c.pub -r c.priv -L cc.policy
        load -C sp.ctx -u c.pub -r c.priv -c c.ctx
        startauthsession --policy-session -S ps.ctx
        policycommandcode -S ps.ctx 0x15e
        unseal -c c.ctx -p session:ps.ctx -o opened6
        flushcontext ps.ctx""")
    tap.check(not why, "a policy of a command code", why)
    tpm.tool("flushcontext -l")


def test_nv(tap, tpm):
    (tpm.folder / "data").write_bytes(bytes(range(200)))
    why = tpm.tools("""
        nvdefine 0x1500001 -C o -s 200 -a 'ownerread|ownerwrite'
        nvwrite 0x1500001 -C o -i data
        nvread 0x1500001 -C o -s 200 -o readback
        nvdefine 0x1500002 -C o -s 8 -a 'ownerread|ownerwrite|nt=counter'
        nvincrement 0x1500002 -C o
        nvread 0x1500002 -C o -s 8 -o counter""")
    tap.check(not why and (tpm.folder / "readback").read_bytes() == bytes(range(200)), "NV: written, read, a counter", why)


def test_power(tap, tpm):
    """What must outlive a power cut does, and what must not does not."""
    counter = (tpm.folder / "counter").read_bytes()
    why = tpm.tools("createprimary -C o -G ecc256 -c evict.ctx\nevictcontrol -C o -c evict.ctx 0x81000001\n"
                    "readpublic -c 0x81000001 -f pem -o before.pem")
    tap.check(not why, "a key is made persistent", why)
    tpm.power_cut()
    why = tpm.tools("""
        readpublic -c 0x81000001 -f pem -o after.pem
        nvread 0x1500001 -C o -s 200 -o readback2
        nvincrement 0x1500002 -C o
        nvread 0x1500002 -C o -s 8 -o counter2
        createprimary -C o -G ecc256 -c again.ctx
        readpublic -c again.ctx -f pem -o again.pem
        pcrread sha256:10 -o pcr10""")
    files = {name: (tpm.folder / name).read_bytes() for name in ("before.pem", "after.pem", "again.pem", "readback2",
                                                                  "counter2", "pcr10")} if not why else {}
    tap.check(not why and files["before.pem"] == files["after.pem"] == files["again.pem"],
              "after a power cut: the persistent key, and the primary of the same seed", why)
    tap.check(not why and files["readback2"] == bytes(range(200)) and files["counter2"] > counter,
              "NV keeps its bytes, the counter counts on")
    tap.check(not why and files["pcr10"] == bytes(32), "PCRs are reset")
    why = tpm.tools("evictcontrol -C o -c 0x81000001")
    tap.check(not why and tpm.tool("readpublic -c 0x81000001", good=False), "evicted, it is gone", why)


def test_shutdown_state(tap, tpm):
    why = tpm.tools(f"pcrextend 10:sha256={'33' * 32}\npcrread sha256:10 -o saved\nshutdown")
    tpm.power_cut()
    answers = tpm.send([], "--startup", "state")
    why = why or tpm.tools("pcrread sha256:10 -o resumed")
    tap.check(answers is not None and not why and
              (tpm.folder / "saved").read_bytes() == (tpm.folder / "resumed").read_bytes(),
              "Shutdown(STATE), Startup(STATE): the PCRs are as they were", why or tpm.error)
    tpm.power_cut()
    tap.check(tpm.send([], "--startup", "state") is None, "without a shutdown Startup(STATE) is refused")
    tpm.power_cut()


def test_lockout(tap, tpm):
    why = tpm.tools("""
        dictionarylockout -s -n 3 -t 1000 -l 1000
        createprimary -C o -G ecc256 -c lp.ctx
        create -C lp.ctx -i secret -u l.pub -r l.priv -p right -a 'fixedtpm|fixedparent|userwithauth'
        load -C lp.ctx -u l.pub -r l.priv -c l.ctx
        unseal -c l.ctx -p right -o o1""")
    tap.check(not why, "dictionary attack parameters are set", why)
    wrong = [tpm.tool("unseal -c l.ctx -p wrong -o o2", good=False) for _ in range(3)]
    tap.check(all(wrong) and tpm.tool("unseal -c l.ctx -p right -o o2", good=False) and "lockout" in tpm.error.lower(),
              "after three wrong passwords the right one is refused", tpm.error)
    tpm.power_cut()
    why = tpm.tools("createprimary -C o -G ecc256 -c lp.ctx")
    tap.check(not why and tpm.tool("load -C lp.ctx -u l.pub -r l.priv -c l.ctx", good=False) and
              "lockout" in tpm.error.lower(), "and so is the parent's use after a power cut", why or tpm.error)
    why = tpm.tools("dictionarylockout -c\nload -C lp.ctx -u l.pub -r l.priv -c l.ctx\nunseal -c l.ctx -p right -o o3")
    tap.check(not why, "until the lockout is cleared", why)


def test_clear(tap, tpm):
    tpm.tools("createprimary -C o -G ecc256 -c x.ctx\nreadpublic -c x.ctx -f pem -o x1.pem")
    why = tpm.tools("clear\ncreateprimary -C o -G ecc256 -c x.ctx\nreadpublic -c x.ctx -f pem -o x2.pem")
    tap.check(not why and (tpm.folder / "x1.pem").read_bytes() != (tpm.folder / "x2.pem").read_bytes(),
              "TPM2_Clear gives new seeds", why)


def test_hash(tap, tpm):
    import hashlib
    data = bytes(i * 7 & 255 for i in range(5000))
    (tpm.folder / "long").write_bytes(data)
    for name in ("sha1", "sha256", "sha384", "sha512"):
        why = tpm.tools(f"hash -C n -g {name} -o digest long")
        tap.check(not why and (tpm.folder / "digest").read_bytes() == hashlib.new(name, data).digest(),
                  f"{name} of 5,000 bytes, by a sequence", why)
    why = tpm.tools("createprimary -C o -G ecc256 -c p.ctx\ncreate -C p.ctx -G hmac -c hm.ctx -u hm.pub -r hm.priv")
    tap.check(not why and tpm.tool("hmac -c hm.ctx -o mac long"), "an HMAC key and a sequence", why or tpm.error)
    why = tpm.tools("""
        create -C p.ctx -G aes256cfb -c aes.ctx -u aes.pub -r aes.priv
        encryptdecrypt -c aes.ctx -o enc long
        encryptdecrypt -d -c aes.ctx -o dec enc""")
    tap.check(not why and (tpm.folder / "dec").read_bytes() == data and (tpm.folder / "enc").read_bytes() != data,
              "a symmetric key encrypts and decrypts", why)


def test_failure(tap, broken, folder):
    """A hash that is wrong: failure mode, in which the TPM answers and does nothing else."""
    flag = pathlib.Path(folder, "broken-flag")
    tpm = Host(broken, pathlib.Path(folder, "broken"))
    tpm.environment["BROKEN"] = str(flag)
    test, result, rand = command(0x143, b"\1"), command(0x17c), command(0x17b, b"\0\x08")
    said = tpm.send([test, result, rand])
    tap.check(said and [code_of(r) for r in said] == [0, 0, 0], "with a hash that is right it tests itself", tpm.error)
    tpm.power_cut()
    flag.touch()
    said = tpm.send([test, rand, result, rand], "--startup", "none")
    codes = [code_of(r) for r in said] if said else None
    tap.check(codes is not None, "with a hash that is wrong: no crash", tpm.error)
    said = tpm.send([command(0x144, b"\0\0"), test, rand, result, rand], "--startup", "none")
    codes = [code_of(r) for r in said] if said else None
    tap.check(codes and codes[2] == 0x101 and codes[4] == 0x101 and codes[3] == 0,
              "failure mode: TPM_RC_FAILURE for all but what asks for the test result", f"{codes} {tpm.error}")
    tap.check(said and int.from_bytes(said[3][-4:], "big") == 0x101, "and that is failure", str(said))
    flag.unlink()
    tpm.power_cut()
    said = tpm.send([test, rand])
    tap.check(said and [code_of(r) for r in said] == [0, 0], "started anew with a right hash it works again", tpm.error)


def test_input(tap, program, folder):
    """What is no command gets an answer, or ends the program with words; never a crash."""
    tpm = Host(program, pathlib.Path(folder, "input"))
    said = tpm.send([command(0xffffffff), command(0x17b), command(0x17b, b"\0\x08\0")])
    tap.check(said and all(code_of(r) for r in said), "bad commands get an error", f"{said} {tpm.error}")
    for data, what in ((b"\x80\x01\0\0", "cut off"), (b"\x80\x01\0\0\0\x02\0\0\0\0", "too short"),
                       (b"\x80\x01\0\1\0\0\0\0\0\0", "too long")):
        done = subprocess.run([program, "--state", tpm.state], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        tap.check(done.returncode == 1 and done.stderr.startswith(b"vtpm: a command"), f"input that is {what} ends it",
                  str(done))
    state = tpm.state / "permanent"
    good = state.read_bytes()
    state.write_bytes(good[:100] + b"\xff" + good[101:200])
    done = subprocess.run([program, "--state", tpm.state], input=b"", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    tap.check(done.returncode == 1 and b"refused" in done.stderr, "a damaged state is refused, not repaired", str(done))


def main():
    program, broken = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        tap = Tap(72)
        tpm = Host(program, pathlib.Path(folder, "tpm"))
        (tpm.folder / "message").write_bytes(b"a message to be signed\n")
        test_start(tap, tpm)
        test_pcrs(tap, tpm)
        for algorithm, kind in (("rsa2048", "rsa2048"), ("ecc256", "ecc256"), ("ecc384", "ecc384"), ("rsa3072", "rsa3072")):
            test_keys(tap, tpm, algorithm, kind)
        test_curves(tap, tpm)
        test_other_curves(tap, tpm)
        test_quote(tap, tpm, "rsa", "rsa", "rsassa")
        test_quote(tap, tpm, "ecc", "ecc", "ecdsa")
        test_rsa_encryption(tap, tpm)
        test_seal(tap, tpm)
        test_sessions(tap, tpm)
        test_nv(tap, tpm)
        test_power(tap, tpm)
        test_shutdown_state(tap, tpm)
        test_hash(tap, tpm)
        test_lockout(tap, tpm)
        test_clear(tap, tpm)
        test_failure(tap, broken, folder)
        test_input(tap, program, folder)
    return tap.status()


if __name__ == "__main__":
    sys.exit(main())
