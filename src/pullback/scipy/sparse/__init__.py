"""scipy.sparse: constant matrices beside traced values, and matrices of traced elements."""

import scipy.sparse

from pullback.numpy.decisions import Kind, decide
from pullback.scipy.decisions import constant, passed, refused
from pullback.scipy.sparse import construction, graphs, linalg, operators, traced

__all__ = ["construction", "graphs", "linalg", "operators", "traced"]

decide(
    scipy.sparse,
    " ".join(cls.__name__ for cls in operators.CLASSES),
    Kind.DIFFERENTIABLE,
    "constant beside traced values, or of traced elements",
)
constant(
    scipy.sparse,
    "eye eye_array get_index_dtype identity issparse isspmatrix isspmatrix_bsr isspmatrix_coo "
    "isspmatrix_csc isspmatrix_csr isspmatrix_dia isspmatrix_dok isspmatrix_lil rand random "
    "random_array safely_cast_index_arrays sparray spmatrix",
    "a constant matrix, a test, or a base class",
)
passed(scipy.sparse, "find", "the elements that are not 0 follow, where these are known")
refused(
    scipy.sparse,
    "expand_dims load_npz save_npz",
    "Matrices of two dimensions alone have traced elements, and files hold none; write "
    "A.reshape(shape), or detach with pullback.stop_gradient",
)

# The graphs of scipy.sparse.csgraph.
constant(
    scipy.sparse.csgraph,
    "NegativeCycleError breadth_first_order connected_components depth_first_order "
    "maximum_bipartite_matching reverse_cuthill_mckee structural_rank",
    "an exception, an order, or a number of vertices",
)
_EDGES = (
    "Find the edges for detached weights, pullback.stop_gradient(w), as predecessors of shortest "
    "paths are, and add up the traced weights of those edges"
)
refused(
    scipy.sparse.csgraph,
    "bellman_ford breadth_first_tree construct_dist_matrix depth_first_tree dijkstra "
    "floyd_warshall johnson maximum_flow min_weight_full_bipartite_matching "
    "minimum_spanning_tree reconstruct_path shortest_path yen",
    _EDGES,
)
refused(
    scipy.sparse.csgraph,
    "csgraph_from_dense csgraph_from_masked csgraph_masked_from_dense csgraph_to_dense "
    "csgraph_to_masked",
    "Make the matrix of traced weights, scipy.sparse.csr_array((w, (i, j))), and write A.toarray()",
)
