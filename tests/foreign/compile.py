#!/usr/bin/env python3
"""Compiles the kernels of kernels.py with Triton and writes what the simulator needs to run them.

    python3 compile.py DIR [--only NAME] [--targets sm_80,sm_90,gfx942,gfx950]

For every kernel and target, DIR gets a module in LLVM 22's text form and a `.case` file: one fact
a line, a word and its values, read by the test `foreign` of the crate `tile-codegen`.

Needs triton 3.9 and numpy from PyPI; no GPU, no PyTorch.
"""
import argparse
import os
import re
import struct
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TRITON_CACHE_DIR", tempfile.mkdtemp(prefix="foreign"))
os.environ.setdefault("TRITON_DEFAULT_FP_FUSION", "1")

import numpy as np
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from kernels import CASES

TARGETS = {
    "sm_80": (GPUTarget("cuda", 80, 32), "nvptx64-nvidia-cuda"),
    "sm_90": (GPUTarget("cuda", 90, 32), "nvptx64-nvidia-cuda"),
    "gfx942": (GPUTarget("hip", "gfx942", 64), "amdgcn-amd-amdhsa"),
    "gfx950": (GPUTarget("hip", "gfx950", 64), "amdgcn-amd-amdhsa"),
}
TYPES = {"float32": "fp32", "float16": "fp16", "float64": "fp64", "int64": "i64", "int32": "i32",
         "int8": "i8", "uint8": "u8"}

# --- From the text of Triton's newer LLVM to LLVM 22's. ---------------------------------------

TYPE = re.compile(r"\b(half|bfloat|float|double)\b")
NUMBER = re.compile(r"(?<![\w.%@$])(f0x[0-9A-F]+|[-+]?\d+\.\d+(?:e[-+]?\d+)?|[-+](?:inf|nan\(0x[0-9A-F]+\)|qnan))(?![\w.])")


def number(text, kind):
    """A floating-point literal as hexadecimal digits, which every version of LLVM reads alike."""
    if text.startswith("f0x"):
        bits = int(text[3:], 16)
        if kind == "half":
            return f"0xH{bits:04X}"
        if kind == "bfloat":
            return f"0xR{bits:04X}"
        if kind == "float":
            value = struct.unpack("<f", struct.pack("<I", bits))[0]
            if value != value:  # Python does not keep the payload of a single-precision NaN
                return f"0x{(bits >> 31) << 63 | 0x7FF << 52 | (bits & 0x7FFFFF) << 29:016X}"
            return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
        return f"0x{bits:016X}"
    if "nan" in text:
        value = float("nan")
    else:
        value = float(text)
    if kind == "half":
        return f"0xH{int(np.float16(value).view(np.uint16)):04X}"
    if kind == "bfloat":
        return f"0xR{int(np.float32(value).view(np.uint32)) >> 16:04X}"
    if kind == "float":
        value = float(np.float32(value))
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def convert_line(line):
    out, end = [], 0
    for match in NUMBER.finditer(line):
        kinds = TYPE.findall(line[: match.start()])
        if not kinds or line[: match.start()].count('"') % 2:
            continue
        out += [line[end : match.start()], number(match.group(), kinds[-1])]
        end = match.end()
    return "".join(out) + line[end:]


def convert(text, triple, arch):
    """Triton's module as LLVM 22 reads it. Debug data goes, and attributes that do not matter."""
    lines = [f'target triple = "{triple}"']
    for line in text.splitlines():
        if line.startswith(("target triple", "source_filename", "!", "; ModuleID")):
            continue
        if line.startswith("attributes #"):
            name, body = line.split("=", 1)
            keys = re.findall(r'"(?:denormal[-\w]*|nvvm\.[-\w.]*)"="[^"]*"', body)
            keys.append(f'"target-cpu"="{arch}"')
            line = f"{name}= {{ {' '.join(keys)} }}"
        elif not line.startswith("@"):
            line = re.sub(r",? !(?:dbg|tbaa|range|noundef|nonnull|noalias|alias\.scope|nontemporal|invariant\.load|loop|llvm\.loop|prof|amdgpu[.\w]*|[A-Za-z.]+) ![\d{}]+", "", line)
            line = re.sub(r"\b(?:nocreateundeforpoison|nofree|nofpclass\([^)]*\)|dead_on_return|initializes\(\([^)]*\)\))\s?", "", line)
            line = convert_line(line)
        lines.append(line)
    return "\n".join(lines) + "\n"


# --- Cases -------------------------------------------------------------------------------------


def signature(case):
    types, attributes = {}, {}
    for i, name in enumerate(case.kernel.arg_names):
        value = case.args.get(name)
        if name in case.const:
            types[name] = "constexpr"
        elif isinstance(value, np.ndarray):
            types[name] = "*" + TYPES[str(value.dtype)]
            attributes[(i,)] = [["tt.divisibility", 16]]
        else:
            types[name] = "i32" if isinstance(value, int) else "fp32"
    return types, attributes


def write(case, name, target, out):
    gpu, triple = TARGETS[target]
    types, attributes = signature(case)
    source = ASTSource(case.kernel, types, case.const, attributes)
    compiled = triton.compile(source, target=gpu, options=dict(num_warps=case.warps, **case.options))
    stem = f"{name}.{target}"
    (out / f"{stem}.ll").write_text(convert(compiled.asm["llir"], triple, target))
    lines = [
        f"module {stem}.ll",
        f"kernel {compiled.metadata.name}",
        f"lanes {gpu.warp_size}",
        "grid " + " ".join(map(str, case.grid)),
        f"threads {case.warps * gpu.warp_size}",
        f"shared {compiled.metadata.shared}",
    ]
    params, buffers = [], {}
    for arg in case.kernel.arg_names:
        value = case.args.get(arg)
        if arg in case.const:
            continue
        if isinstance(value, np.ndarray):
            buffers[arg] = len(buffers)
            (out / f"{stem}.{arg}.in").write_bytes(np.ascontiguousarray(value).tobytes())
            lines.append(f"buffer {stem}.{arg}.in")
            params.append(f"param buffer {buffers[arg]}")
        elif isinstance(value, int):
            params.append(f"param bits {value & 0xFFFFFFFF}")
        else:
            params.append(f"param bits {struct.unpack('<I', struct.pack('<f', value))[0]}")
    # Triton's own scratch space and profiler, which these kernels do not use.
    params += ["param null", "param null"]
    lines += params
    for arg, (expected, tolerance) in case.expect.items():
        dtype = str(case.args[arg].dtype)
        (out / f"{stem}.{arg}.out").write_bytes(np.asarray(expected, np.float64).tobytes())
        lines.append(f"expect {buffers[arg]} {dtype} {stem}.{arg}.out {tolerance}")
    (out / f"{stem}.case").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("dir", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--targets", default="sm_80,sm_90,gfx942,gfx950")
    options = parser.parse_args()
    options.dir.mkdir(parents=True, exist_ok=True)
    for name, make in CASES.items():
        if options.only in name:
            case = make()
            for target in options.targets.split(","):
                if target in (case.targets or TARGETS):
                    write(case, name, target, options.dir)
                    print(f"{name} for {target}", file=sys.stderr)


if __name__ == "__main__":
    main()
