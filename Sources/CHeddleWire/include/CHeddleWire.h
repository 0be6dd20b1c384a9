// Written by .ci/generate-wire: every message of Protos/ as protobuf-c structures.
#pragma once
#include "client.pb-c.h"
#include "inspect.pb-c.h"
#include "mesh.pb-c.h"
