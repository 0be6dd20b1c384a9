// Register blocks for AVX-512: a virtual vector is one register of 32; 8 rows × 3 tiles leave room for the weights.

#define HEDDLE_BLOCK_ROWS 8
#ifndef HEDDLE_BLOCK_ROWS_INTEGER
#define HEDDLE_BLOCK_ROWS_INTEGER 4
#endif
#ifndef HEDDLE_BLOCK_TILES_FEW
#define HEDDLE_BLOCK_TILES_FEW 4
#endif
#ifndef HEDDLE_BLOCK_TILES_MANY
#define HEDDLE_BLOCK_TILES_MANY 3
#endif
#define HEDDLE_BLOCK_QUERIES 8
#ifndef HEDDLE_PANEL_ROWS
#define HEDDLE_PANEL_ROWS 64
#endif
#define HEDDLE_PROBE_CHAINS 24

#ifndef FEWROWS
#define FEWROWS 2
#endif
#ifndef ONEAHEAD
#define ONEAHEAD 1
#endif
#ifndef PL
#define PL 2
#endif
#ifndef NEAR
#define NEAR 0
#endif
#ifndef UNR
#define UNR 8
#endif
#ifndef CHUNKB
#define CHUNKB 256
#endif
#ifndef CHUNKI
#define CHUNKI 256
#endif
