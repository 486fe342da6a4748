"""The matmul `gemm` of examples/hopper/matmul.tile in Gluon, compiled for a target that need not be there.

`gluon_matmul.py FOLDER` writes the kernel's code into FOLDER and prints what Triton says of it. One loading warp, two groups of
four warps that multiply, three stages of 128 by 64 and 256 by 64; a block computes one tile. The stage of a step is
given back when the product of the next one has been started, as in ours.
"""

import json
import os
import sys

import triton
from triton.backends.compiler import GPUTarget
from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon._runtime import GluonASTSource
from triton.experimental.gluon.language.nvidia import hopper
from triton.experimental.gluon.language.nvidia.hopper import mbarrier, tma

SIZES = {"BM": 128, "BN": 256, "BK": 64, "STAGES": 3}


@gluon.jit
def load(a, b, sa, sb, full, empty, row, col, k, BK: gl.constexpr, STAGES: gl.constexpr):
    for t in range(gl.cdiv(k, BK)):
        stage = t % STAGES
        mbarrier.wait(empty.index(stage), ((t // STAGES) & 1) ^ 1)
        mbarrier.expect(full.index(stage), a.block_type.nbytes + b.block_type.nbytes)
        tma.async_load(a, [row, t * BK], full.index(stage), sa.index(stage))
        tma.async_load(b, [col, t * BK], full.index(stage), sb.index(stage))


@gluon.jit
def multiply(c, sa, sb, sc, full, empty, row, col, k, BM: gl.constexpr, BN: gl.constexpr, BK: gl.constexpr, STAGES: gl.constexpr):
    C: gl.constexpr = gl.NVMMADistributedLayout(version=[3, 0], warps_per_cta=[gl.num_warps(), 1], instr_shape=[16, BN, 16])
    acc = gl.zeros((BM, BN), gl.float32, C)
    n_steps = gl.cdiv(k, BK)
    for t in range(n_steps):
        stage = t % STAGES
        mbarrier.wait(full.index(stage), (t // STAGES) & 1)
        acc = hopper.warpgroup_mma(sa.index(stage), sb.index(stage).permute((1, 0)), acc, is_async=True)
        acc = hopper.warpgroup_mma_wait(num_outstanding=1, deps=(acc,))
        mbarrier.arrive(empty.index((t + STAGES - 1) % STAGES), count=1, pred=t > 0)
    acc = hopper.warpgroup_mma_wait(num_outstanding=0, deps=(acc,))
    sc.store(acc.to(c.dtype))
    hopper.fence_async_shared()
    tma.async_store(c, [row, col], sc)
    tma.store_wait(0)


@gluon.jit
def matmul(a, b, c, k, BM: gl.constexpr, BN: gl.constexpr, BK: gl.constexpr, STAGES: gl.constexpr):
    sa = gl.allocate_shared_memory(a.dtype, [STAGES] + a.block_type.shape, a.layout)
    sb = gl.allocate_shared_memory(b.dtype, [STAGES] + b.block_type.shape, b.layout)
    sc = gl.allocate_shared_memory(c.dtype, c.block_type.shape, c.layout)
    full = mbarrier.allocate_mbarrier(batch=STAGES)
    empty = mbarrier.allocate_mbarrier(batch=STAGES)
    for it in gl.static_range(STAGES):
        mbarrier.init(full.index(it), count=1)
        mbarrier.init(empty.index(it), count=1)
    row, col = gl.program_id(0) * BM, gl.program_id(1) * BN
    gl.warp_specialize(
        [
            (multiply, (c, sa, sb, sc, full, empty, row, col, k, BM, BN, BK, STAGES)),
            (load, (a, b, sa, sb, full, empty, row, col, k, BK, STAGES)),
        ],
        [1],
        [40],
    )


def tensor(rows, columns):
    layout = gl.NVMMASharedLayout.get_default_for([rows, columns], gl.bfloat16)
    return f"tensordesc<bf16[{rows},{columns}],{layout!r}>"


def main(folder):
    m, n, k = SIZES["BM"], SIZES["BN"], SIZES["BK"]
    types = {"a": tensor(m, k), "b": tensor(n, k), "c": tensor(m, n), "k": "i32"} | {it: "constexpr" for it in SIZES}
    constants = {(4 + at,): it for at, it in enumerate(SIZES.values())}
    source = GluonASTSource(matmul, types, constants, {(3,): [["tt.divisibility", 16]]})
    kernel = triton.compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 8})
    for kind, code in kernel.asm.items():
        mode = "wb" if isinstance(code, bytes) else "w"
        with open(os.path.join(folder, f"triton.{kind}"), mode) as file:
            file.write(code)
    print(json.dumps({"version": triton.__version__, "shared_bytes": kernel.metadata.shared}))


main(*sys.argv[1:])
