package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// rounds is how often each side is run at a size; the median counts.
const rounds = "5x"

// measure runs the benchmark of a row at a size.
func (r row) measure(found results, scale string) error {
	of := now()
	output, err := goTest(r, scale)
	if err != nil {
		return err
	}
	return found.take(r.keyAt(scale), output, of)
}

// take keeps what a benchmark printed. Where it was skipped, since something is missing here, what was measured before
// stays; where it did not even begin, nothing has its name.
func (found results) take(key string, output []byte, of stamp) error {
	figures, err := parse(output)
	old, known := found[key]
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", key, err)
	case figures != nil:
		found[key] = measured{figures, of.until(now())}
		fmt.Println(key, figures)
	case !bytes.Contains(output, []byte("--- SKIP: Benchmark")):
		return fmt.Errorf("%s: go test finds no such benchmark:\n%s", key, output)
	case known:
		fmt.Printf("%s was not measured, its figures stay those of %s:\n%s", key, old.of, output)
	default:
		fmt.Printf("%s was not measured:\n%s", key, output)
	}
	return nil
}

// goTest runs one benchmark at one size. Only -v names what was skipped, and why.
func goTest(r row, scale string) ([]byte, error) {
	parts := strings.Split(strings.TrimSuffix("Benchmark"+r.name+"/"+scale, "/"), "/")
	pattern := "^" + strings.Join(parts, "$/^") + "$"
	cmd := exec.Command("go", "test", "-v", "-run", "^$", "-bench", pattern, "-benchtime", rounds, "-timeout", "60m", r.pkg)
	cmd.Dir, cmd.Stderr = r.dir, os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, output)
	}
	return output, nil
}

// figures are what a benchmark reported, by unit.
type figures map[string]float64

func (f figures) String() string {
	var text []string
	for _, unit := range slices.Sorted(maps.Keys(f)) {
		text = append(text, short(f[unit])+" "+unit)
	}
	return strings.Join(text, ", ")
}

// parse finds the one line of a benchmark that go test prints: name, times, and pairs of value and unit
// (https://go.dev/design/14313-benchmark-format). It returns nil where there is none.
func parse(output []byte) (figures, error) {
	for line := range strings.Lines(string(output)) {
		if fields := strings.Fields(line); len(fields) > 3 && strings.HasPrefix(line, "Benchmark") {
			return pairs(fields[2:])
		}
	}
	return nil, nil
}

func pairs(fields []string) (figures, error) {
	if len(fields)%2 != 0 {
		return nil, fmt.Errorf("%q has no unit", fields[len(fields)-1])
	}
	found := figures{}
	for i := 0; i < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return nil, err
		}
		found[fields[i+1]] = value
	}
	return found, nil
}
