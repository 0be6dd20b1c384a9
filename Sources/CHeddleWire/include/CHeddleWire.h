// Written by .ci/generate-wire: every message of Protos/ as protobuf-c structures.
#pragma once
#include "mesh.pb-c.h"
