"""The functions of numpy.linalg, by their full names."""

from __future__ import annotations

import numpy as np

from tests.numpy.batched.case import C, Case, H, M, Q, S, T, V, W, Z, case, data

FUNCTIONS: dict[str, list[Case]] = {
    "numpy.linalg.cholesky": [
        case(np.linalg.cholesky, H),
        case(lambda x: np.linalg.cholesky(x, upper=True), H),
    ],
    "numpy.linalg.cond": [
        case(np.linalg.cond, S),
        case(lambda x: np.linalg.cond(x, "fro"), S),
        case(lambda x: np.linalg.cond(x, 1), S),
    ],
    "numpy.linalg.cross": [case(np.linalg.cross, Q, Q[::-1])],
    "numpy.linalg.det": [case(np.linalg.det, S)],
    "numpy.linalg.diagonal": [
        case(np.linalg.diagonal, T),
        case(lambda x: np.linalg.diagonal(x, offset=1), M),
    ],
    "numpy.linalg.eigh": [
        case(lambda x: (np.linalg.eigh(x)[0], np.abs(np.linalg.eigh(x)[1])), H, rtol=1e-9)
    ],
    "numpy.linalg.eigvalsh": [case(np.linalg.eigvalsh, H)],
    "numpy.linalg.inv": [case(np.linalg.inv, S)],
    "numpy.linalg.qr": [
        case(lambda a: np.linalg.qr(a)[0], Q, rtol=1e-9),
        case(lambda a: np.linalg.qr(a)[1], Q, rtol=1e-9),
    ],
    "numpy.linalg.eig": [case(lambda a: np.abs(np.linalg.eig(a)[0]), H, rtol=1e-9)],
    "numpy.linalg.eigvals": [case(lambda a: np.abs(np.linalg.eigvals(a)), H, rtol=1e-9)],
    "numpy.linalg.lstsq": [
        case(lambda a, b: np.linalg.lstsq(a, b)[0], Q, V, rtol=1e-9),
        case(lambda a, b: np.linalg.lstsq(a, b)[3], Q, V, rtol=1e-9),
    ],
    "numpy.linalg.matmul": [case(np.linalg.matmul, M, Q)],
    "numpy.linalg.matrix_norm": [
        case(np.linalg.matrix_norm, T),
        *(
            case(lambda x, o=o: np.linalg.matrix_norm(x, ord=o, keepdims=True), M)
            for o in (1, 2, -2, np.inf, "nuc")
        ),
    ],
    "numpy.linalg.matrix_power": [
        case(lambda x: np.linalg.matrix_power(x, 3), S),
        case(lambda x: np.linalg.matrix_power(x, -2), S),
    ],
    "numpy.linalg.matrix_rank": [
        case(np.linalg.matrix_rank, S),
        case(np.linalg.matrix_rank, np.ones((3, 4))),
    ],
    "numpy.linalg.matrix_transpose": [case(np.linalg.matrix_transpose, M)],
    "numpy.linalg.multi_dot": [
        case(lambda x, y, z: np.linalg.multi_dot([x, y, z]), M, Q, S),
        case(lambda x, y, z: np.linalg.multi_dot([x, y, z]), V, Q, V[:3]),
    ],
    "numpy.linalg.norm": [
        case(np.linalg.norm, V),
        case(np.linalg.norm, M),
        case(lambda x: np.linalg.norm(x, axis=1), M),
        *(case(lambda x, o=o: np.linalg.norm(x, o), M) for o in ("fro", "nuc", 1, 2, -1, np.inf)),
        *(
            case(lambda x, o=o: np.linalg.norm(x, o, axis=0, keepdims=True), M)
            for o in (0, 1, 3, np.inf, -np.inf)
        ),
    ],
    "numpy.linalg.outer": [case(np.linalg.outer, V, W)],
    "numpy.linalg.pinv": [case(np.linalg.pinv, Q, rtol=1e-10)],
    "numpy.linalg.slogdet": [case(lambda x: tuple(np.linalg.slogdet(x)), S)],
    "numpy.linalg.solve": [case(np.linalg.solve, S, V[:3]), case(np.linalg.solve, S, M)],
    "numpy.linalg.svd": [
        case(lambda x: np.linalg.svd(x, compute_uv=False), M),
        case(lambda x: np.abs(np.linalg.svd(x, full_matrices=False)[0]), M, rtol=1e-8),
    ],
    "numpy.linalg.svdvals": [case(np.linalg.svdvals, T)],
    "numpy.linalg.tensordot": [case(lambda x, y: np.linalg.tensordot(x, y, axes=1), M, Q)],
    "numpy.linalg.tensorinv": [
        case(lambda x: np.linalg.tensorinv(x.reshape(2, 2, 4)), data(4, 4) + 3 * np.eye(4))
    ],
    "numpy.linalg.tensorsolve": [
        case(
            lambda a, b: np.linalg.tensorsolve(a.reshape(2, 2, 4), b.reshape(2, 2)),
            data(4, 4) + 3 * np.eye(4),
            V,
        )
    ],
    "numpy.linalg.trace": [
        case(np.linalg.trace, T),
        case(lambda x: np.linalg.trace(x, offset=1), M),
    ],
    "numpy.linalg.vecdot": [
        case(np.linalg.vecdot, M, V),
        case(lambda x, y: np.linalg.vecdot(x, y, axis=0), M, M),
        case(np.linalg.vecdot, Z, C),
    ],
    "numpy.linalg.vector_norm": [
        case(np.linalg.vector_norm, M),
        case(lambda x: np.linalg.vector_norm(x, axis=1, ord=3), M),
    ],
}
