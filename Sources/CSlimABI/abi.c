#include "slim_abi.h"
