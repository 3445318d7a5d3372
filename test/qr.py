#!/usr/bin/env python3
"""Reads the QR codes that the demo prints, as a phone would: qr.py HANDSTAMP.

The half blocks of the terminal are drawn into a picture, light where the
terminal is light, and zbarimg has to find the links to both tickets in it.
"""

import subprocess
import sys
import tempfile

SCALE = 6  # pixels a module


def main():
    demo = subprocess.Popen(
        [sys.argv[1], "demo", "--no-browser", "--addr", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    )
    lines = []
    for line in demo.stdout:
        lines.append(line.rstrip("\n"))
        if "Stop with Ctrl-C" in line:
            break
    demo.terminate()
    demo.wait(10)
    blocks = [line for line in lines if set(line) <= set(" █▀▄") and line.strip()]
    rows = []
    for line in blocks:
        rows.append([c in "█▀" for c in line])
        rows.append([c in "█▄" for c in line])
    width = max(map(len, rows))
    with tempfile.NamedTemporaryFile(suffix=".pgm") as picture:
        picture.write(b"P5 %d %d 255\n" % (width * SCALE, len(rows) * SCALE))
        for row in rows:
            row = row + [False] * (width - len(row))
            pixels = b"".join((b"\xff" if light else b"\x00") * SCALE for light in row)
            picture.write(pixels * SCALE)
        picture.flush()
        out = subprocess.run(["zbarimg", "--quiet", "--raw", picture.name], capture_output=True, text=True).stdout
    found = sorted(line.split("#")[-1] for line in out.split())
    codes = [line.split()[0] for line in lines if line.startswith("    ") and len(line.split()[0].split("-")) == 4]
    want = sorted("ticket=" + code for code in codes[:2])
    print("found", found)
    if found != want:
        sys.exit(f"want {want}")
    print("2 passed, 0 failed")


main()
