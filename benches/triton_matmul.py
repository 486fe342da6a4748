"""The matmul of examples/matmul.tile in Triton, compiled for a target that need not be there.

`triton_matmul.py TARGET FOLDER DEPTH TRANSPOSED` writes the kernel's code, for B as [k, n] or as [n, k], into FOLDER and
prints what Triton says of it.
"""

import json
import os
import sys

import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

TARGETS = {"sm_80": GPUTarget("cuda", 80, 32), "gfx942": GPUTarget("hip", "gfx942", 64), "gfx950": GPUTarget("hip", "gfx950", 64)}
STAGES = {"sm_80": 3, "gfx942": 2, "gfx950": 3}


@triton.jit
def matmul(a, b, c, m, n, k, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, BT: tl.constexpr):
    row, col = tl.program_id(0) * BM, tl.program_id(1) * BN
    i, j, t = row + tl.arange(0, BM), col + tl.arange(0, BN), tl.arange(0, BK)
    at = a + i[:, None] * k + t[None, :]
    bt = b + t[:, None] + j[None, :] * k if BT else b + t[:, None] * n + j[None, :]
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for done in range(0, k, BK):
        left = k - done
        x = tl.load(at, mask=(i[:, None] < m) & (t[None, :] < left), other=0.0)
        y = tl.load(bt, mask=(t[:, None] < left) & (j[None, :] < n), other=0.0)
        acc = tl.dot(x, y, acc)
        at += BK
        bt += BK if BT else BK * n
    live = (i[:, None] < m) & (j[None, :] < n)
    tl.store(c + i[:, None] * n + j[None, :], acc.to(tl.bfloat16), mask=live)


def main(target, folder, depth, transposed):
    types = {it: "*bf16" for it in "abc"} | {it: "i32" for it in "mnk"}
    sizes = {"BM": 128, "BN": 128, "BK": int(depth), "BT": transposed == "True"}
    types |= {it: "constexpr" for it in sizes}
    # The same promises as the `where` clause and the alignment of tensors in Tile.
    facts = {(it,): [["tt.divisibility", 16]] for it in (0, 1, 2, 4, 5)}
    source = ASTSource(matmul, types, sizes, facts)
    options = {"num_warps": 4, "num_stages": STAGES[target]}
    kernel = triton.compile(source, target=TARGETS[target], options=options)
    for kind, code in kernel.asm.items():
        mode = "wb" if isinstance(code, bytes) else "w"
        with open(os.path.join(folder, f"triton.{kind}"), mode) as file:
            file.write(code)
    print(json.dumps({"version": triton.__version__, "shared_bytes": kernel.metadata.shared}))


main(*sys.argv[1:])
