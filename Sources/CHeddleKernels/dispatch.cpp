#include "heddle_kernels.h"
