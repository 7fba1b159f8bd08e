//go:build linux

package measure

import (
	"flag"
	"os/exec"
	"runtime"
	"slices"
	"testing"
)

func TestTheMemoryOfAChildIsItsOwn(t *testing.T) {
	ballast := make([]byte, 100<<20)
	for i := range ballast {
		ballast[i] = 1
	}
	child := exec.Command("sh", "-c", "trap 'exit 0' INT; echo; while :; do read line; done")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	out.Read(make([]byte, 1)) // the trap is set
	figures, err := End(child)
	if err != nil || figures["MiB"] <= 0 || figures["MiB"] > 50 {
		t.Errorf("%v, %v", figures, err)
	}
	runtime.KeepAlive(ballast)
}

func TestTheSidesTakeTurns(t *testing.T) {
	var order []string
	side := func(name string) func() Figures {
		return func() Figures {
			order = append(order, name)
			return Figures{}
		}
	}
	if err := flag.Set("test.benchtime", "2x"); err != nil {
		t.Fatal(err)
	}
	testing.Benchmark(func(b *testing.B) { Compare(b, side("ours"), side("bare")) })
	if !slices.Equal(order, []string{"ours", "bare", "bare", "ours"}) {
		t.Error(order)
	}
}
