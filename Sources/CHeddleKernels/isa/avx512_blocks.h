// Register blocks for AVX-512: a virtual vector is one register of 32; 8 rows × 3 tiles leave room for the weights. Exact
// sums of bytes stand beside the sums that they are added to, hence half as many rows.

#define HEDDLE_BLOCK_ROWS 8
#define HEDDLE_BLOCK_ROWS_INTEGER 4
#define HEDDLE_BLOCK_TILES 3
#define HEDDLE_BLOCK_QUERIES 8
#define HEDDLE_PROBE_CHAINS 24
