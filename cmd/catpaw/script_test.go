package main

import (
	"fmt"
	"os"
	"time"
)

// beAScript makes this test binary print a file, which it has read before, and note when it begins: what the start of a
// script takes is not the agent's.
const beAScript = "CATPAW_TEST_PRINT"

func script(path string) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path+".at", fmt.Appendf(nil, "%d", time.Now().UnixNano()), 0o600)
	}
	if err == nil {
		_, err = os.Stdout.Write(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
