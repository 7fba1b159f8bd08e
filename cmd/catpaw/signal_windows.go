package main

import "os"

// faults are signals for what is an error of a write as well; here there are none.
var faults []os.Signal

// passedOn are signals that a command gets that we run for somebody.
var passedOn = []os.Signal{}
