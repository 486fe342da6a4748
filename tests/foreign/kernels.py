"""Kernels in Triton's language, with what they should compute in NumPy.

Every entry of CASES is a function that returns a Case: the kernel, the types of its arguments, its
compile-time constants, the launch, and the expected contents of the buffers it writes.
"""
from dataclasses import dataclass, field

import numpy as np
import triton
import triton.language as tl


@dataclass
class Case:
    kernel: object
    args: dict  # name -> array (a buffer), int, or float; constants are in `const`
    const: dict
    grid: tuple
    expect: dict  # name of a buffer -> (expected array in float64 or integers, tolerance)
    warps: int = 4
    options: dict = field(default_factory=dict)
    targets: tuple = ()  # all if empty


def rng(seed):
    return np.random.default_rng(seed)


@triton.jit
def add(x, y, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out + i, tl.load(x + i, mask=m) + tl.load(y + i, mask=m), mask=m)


def case_add():
    n = 1000
    x, y = rng(1).standard_normal((2, n)).astype(np.float32)
    out = np.zeros(n, np.float32)
    return Case(add, dict(x=x, y=y, out=out, n=n), dict(BLOCK=256), (4, 1, 1),
                dict(out=(x.astype(float) + y, 1e-7)))


@triton.jit
def softmax(x, out, stride, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    i = tl.arange(0, BLOCK)
    m = i < n
    v = tl.load(x + row * stride + i, mask=m, other=-float("inf")).to(tl.float32)
    e = tl.exp(v - tl.max(v, 0))
    r = e / tl.sum(e, 0)
    tl.store(out + row * stride + i, r.to(out.dtype.element_ty), mask=m)


def softmax_case(dtype, tolerance):
    rows, n = 6, 777
    x = (3 * rng(2).standard_normal((rows, n))).astype(dtype)
    e = np.exp(x.astype(float) - x.astype(float).max(1, keepdims=True))
    return Case(softmax, dict(x=x, out=np.zeros_like(x), stride=n, n=n), dict(BLOCK=1024),
                (rows, 1, 1), dict(out=(e / e.sum(1, keepdims=True), tolerance)))


def case_softmax_f32():
    return softmax_case(np.float32, 1e-6)


def case_softmax_f16():
    return softmax_case(np.float16, 1e-3)


@triton.jit
def layer_norm(x, w, b, out, n, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    i = tl.arange(0, BLOCK)
    m = i < n
    v = tl.load(x + row * n + i, mask=m, other=0.0)
    mean = tl.sum(v, 0) / n
    d = tl.where(m, v - mean, 0.0)
    scale = 1 / tl.sqrt(tl.sum(d * d, 0) / n + eps)
    r = d * scale * tl.load(w + i, mask=m) + tl.load(b + i, mask=m)
    tl.store(out + row * n + i, r, mask=m)


def case_layer_norm():
    rows, n, eps = 5, 600, 1e-5
    x = rng(3).standard_normal((rows, n)).astype(np.float32)
    w, b = rng(4).standard_normal((2, n)).astype(np.float32)
    d = x.astype(float) - x.astype(float).mean(1, keepdims=True)
    r = d / np.sqrt((d * d).mean(1, keepdims=True) + eps) * w + b
    return Case(layer_norm, dict(x=x, w=w, b=b, out=np.zeros_like(x), n=n, eps=eps),
                dict(BLOCK=1024), (rows, 1, 1), dict(out=(r, 1e-5)))


@triton.jit
def column_sum(x, out, rows, cols, BM: tl.constexpr, BN: tl.constexpr):
    j = tl.program_id(0) * BN + tl.arange(0, BN)
    acc = tl.zeros((BN,), tl.float32)
    for start in range(0, rows, BM):
        i = start + tl.arange(0, BM)
        m = (i[:, None] < rows) & (j[None, :] < cols)
        acc += tl.sum(tl.load(x + i[:, None] * cols + j[None, :], mask=m, other=0.0), 0)
    tl.store(out + j, acc, mask=j < cols)


def case_column_sum():
    rows, cols = 70, 100
    x = rng(5).standard_normal((rows, cols)).astype(np.float32)
    return Case(column_sum, dict(x=x, out=np.zeros(cols, np.float32), rows=rows, cols=cols),
                dict(BM=32, BN=64), (2, 1, 1), dict(out=(x.astype(float).sum(0), 1e-5)))


@triton.jit
def transpose(x, out, rows, cols, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    j = tl.program_id(1) * B + tl.arange(0, B)
    m = (i[:, None] < rows) & (j[None, :] < cols)
    t = tl.trans(tl.load(x + i[:, None] * cols + j[None, :], mask=m))
    tl.store(out + j[:, None] * rows + i[None, :], t, mask=tl.trans(m))


def case_transpose():
    rows, cols = 50, 90
    x = rng(6).standard_normal((rows, cols)).astype(np.float16)
    return Case(transpose, dict(x=x, out=np.zeros((cols, rows), np.float16), rows=rows, cols=cols),
                dict(B=32), (2, 3, 1), dict(out=(x.T.astype(float), 0.0)))


@triton.jit
def histogram(x, out, n, BLOCK: tl.constexpr, BINS: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    h = tl.histogram(tl.load(x + i, mask=i < n, other=0), BINS, mask=i < n)
    tl.atomic_add(out + tl.arange(0, BINS), h)


def case_histogram():
    n, bins = 900, 64
    x = rng(7).integers(0, bins, n).astype(np.int32)
    return Case(histogram, dict(x=x, out=np.zeros(bins, np.int32), n=n),
                dict(BLOCK=512, BINS=bins), (2, 1, 1),
                dict(out=(np.bincount(x, minlength=bins), 0)))


@triton.jit
def dropout(x, out, n, p, seed, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    keep = tl.rand(seed, i) > p
    tl.store(out + i, tl.where(keep, tl.load(x + i, mask=m) / (1 - p), 0.0), mask=m)


def philox(seed, counter, rounds=10):
    c = [counter.astype(np.uint64), *(np.zeros_like(counter, np.uint64) for _ in range(3))]
    k = [np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32)]
    low = np.uint64(0xFFFFFFFF)
    for _ in range(rounds):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> np.uint64(32)) ^ c[1] ^ k[0], b & low, (a >> np.uint64(32)) ^ c[3] ^ k[1], a & low]
        k = [(k[0] + np.uint64(0x9E3779B9)) & low, (k[1] + np.uint64(0xBB67AE85)) & low]
    return c[0].astype(np.uint32)


def case_dropout():
    n, p, seed = 700, 0.25, 1234
    x = rng(8).standard_normal(n).astype(np.float32)
    u = philox(seed, np.arange(n)).view(np.int32)
    u = np.where(u < 0, -u - 1, u) * np.float32(4.6566127342e-10)
    r = np.where(u > np.float32(p), x.astype(float) / (1 - p), 0.0)
    return Case(dropout, dict(x=x, out=np.zeros(n, np.float32), n=n, p=p, seed=seed),
                dict(BLOCK=256), (3, 1, 1), dict(out=(r, 1e-6)))


@triton.jit
def prefix_sum(x, out, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    v = tl.load(x + tl.program_id(0) * n + i, mask=i < n, other=0)
    tl.store(out + tl.program_id(0) * n + i, tl.cumsum(v, 0), mask=i < n)


def case_prefix_sum():
    rows, n = 3, 500
    x = rng(9).integers(-50, 50, (rows, n)).astype(np.int32)
    return Case(prefix_sum, dict(x=x, out=np.zeros_like(x), n=n), dict(BLOCK=512), (rows, 1, 1),
                dict(out=(x.cumsum(1), 0)))


@triton.jit
def sort(x, out, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, tl.sort(tl.load(x + i)))


def case_sort():
    x = rng(10).standard_normal((2, 256)).astype(np.float32)
    return Case(sort, dict(x=x, out=np.zeros_like(x)), dict(BLOCK=256), (2, 1, 1),
                dict(out=(np.sort(x, 1).astype(float), 0.0)))


@triton.jit
def gather(table, index, out, width, BLOCK: tl.constexpr):
    row = tl.load(index + tl.program_id(0))
    i = tl.arange(0, BLOCK)
    v = tl.load(table + row * width + i, mask=i < width)
    tl.store(out + tl.program_id(0) * width + i, v, mask=i < width)


def case_embedding():
    rows, width, n = 20, 100, 7
    table = rng(11).standard_normal((rows, width)).astype(np.float32)
    index = rng(12).integers(0, rows, n).astype(np.int64)
    return Case(gather, dict(table=table, index=index, out=np.zeros((n, width), np.float32), width=width),
                dict(BLOCK=128), (n, 1, 1), dict(out=(table[index].astype(float), 0.0)))


@triton.jit
def cross_entropy(logits, labels, out, n, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    i = tl.arange(0, BLOCK)
    v = tl.load(logits + row * n + i, mask=i < n, other=-float("inf"))
    top = tl.max(v, 0)
    total = tl.log(tl.sum(tl.exp(v - top), 0)) + top
    label = tl.load(labels + row)
    tl.store(out + row, total - tl.load(logits + row * n + label))


def case_cross_entropy():
    rows, n = 6, 300
    x = (2 * rng(13).standard_normal((rows, n))).astype(np.float32)
    labels = rng(14).integers(0, n, rows).astype(np.int32)
    e = np.log(np.exp(x.astype(float)).sum(1)) - x[np.arange(rows), labels]
    return Case(cross_entropy, dict(logits=x, labels=labels, out=np.zeros(rows, np.float32), n=n),
                dict(BLOCK=512), (rows, 1, 1), dict(out=(e, 1e-5)))


@triton.jit
def arg_max(x, out, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    v = tl.load(x + tl.program_id(0) * n + i, mask=i < n, other=-float("inf"))
    tl.store(out + tl.program_id(0), tl.argmax(v, 0))


def case_arg_max():
    rows, n = 4, 200
    x = rng(15).standard_normal((rows, n)).astype(np.float32)
    return Case(arg_max, dict(x=x, out=np.zeros(rows, np.int32), n=n), dict(BLOCK=256),
                (rows, 1, 1), dict(out=(x.argmax(1), 0)), warps=2)


@triton.jit
def maths(x, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    v = tl.load(x + i, mask=i < n, other=1.0)
    r = tl.sin(v) + tl.cos(v) * tl.rsqrt(v * v + 1) + tl.log2(v * v + 1) + tl.floor(v) + tl.abs(v)
    tl.store(out + i, tl.fma(r, v, tl.exp2(v)), mask=i < n)


def case_maths():
    n = 300
    x = rng(16).uniform(-4, 4, n).astype(np.float32)
    v = x.astype(float)
    r = np.sin(v) + np.cos(v) / np.sqrt(v * v + 1) + np.log2(v * v + 1) + np.floor(v) + abs(v)
    return Case(maths, dict(x=x, out=np.zeros(n, np.float32), n=n), dict(BLOCK=128), (3, 1, 1),
                dict(out=(r * v + np.exp2(v), 2e-5)))


@triton.jit
def matmul(a, b, c, M, N, K, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    im = tl.program_id(0) * BM + tl.arange(0, BM)
    jn = tl.program_id(1) * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    pa = a + im[:, None] * K + k[None, :]
    pb = b + k[:, None] * N + jn[None, :]
    acc = tl.zeros((BM, BN), tl.float32)
    for _ in range(0, K, BK):
        acc = tl.dot(tl.load(pa), tl.load(pb), acc)
        pa += BK
        pb += BK * N
    tl.store(c + im[:, None] * N + jn[None, :], acc.to(c.dtype.element_ty))


def case_matmul():
    m, n, k = 128, 128, 96
    a = rng(17).standard_normal((m, k)).astype(np.float16)
    b = rng(18).standard_normal((k, n)).astype(np.float16)
    return Case(matmul, dict(a=a, b=b, c=np.zeros((m, n), np.float16), M=m, N=n, K=k),
                dict(BM=64, BN=64, BK=32), (2, 2, 1),
                dict(c=(a.astype(float) @ b.astype(float), 1e-3)), targets=("sm_80", "gfx942"))


CASES = {name[5:]: make for name, make in list(globals().items()) if name.startswith("case_")}
