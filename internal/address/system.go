package address

import "runtime"

// hasAbstract says whether a name that starts with @ is a socket without a file.
const hasAbstract = runtime.GOOS == "linux"
