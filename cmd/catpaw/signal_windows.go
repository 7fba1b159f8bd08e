package main

import "os"

// faults are signals for what is an error of a write as well; here there are none.
var faults []os.Signal
