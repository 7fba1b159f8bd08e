package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"catpaw/internal/measure"
)

// report is RESULTS.md.
func report(found results) string {
	var text strings.Builder
	fmt.Fprintf(&text, `# What it costs

Made by %[1]smake bench%[1]s; do not edit. Measured on %[2]s.

Each figure is the median of five runs (three at 4 and 16 times the size), which alternate with the runs of what it is
compared with; so what else the machine does falls on both. ms is time on the wall, ms-cpu that of the processors, user
and system, MiB the most resident memory: of catpaw's own process, where it is run as one, else what was added to it.
%[1]smake bench-check%[1]s measures the figures of the first table again and fails where one is worse than its bound.

## Bounds

| what | compared with | unit | catpaw | compared | is | bound | |
|---|---|---|--:|--:|--:|--:|---|
`, "`", machine())
	for _, row := range rows {
		for i, b := range row.bounds {
			what, against := row.what, row.against
			if i > 0 {
				what, against = "", ""
			}
			v := row.verdict(found, b)
			fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", cell(what), cell(against), b.unit, v.ours, v.bare, v.value, b, v.word())
		}
	}
	text.WriteString(`
## How cost grows

What is measured at 4 and 16 times the size of the row. Growth is how much more one piece costs at the largest size than
at the smallest: 1 is linear, less is better. The same, as lines:

![Growth of every cost](growth.svg)

| what | unit | × 1 | × 4 | × 16 | growth | compared, growth |
|---|---|--:|--:|--:|--:|--:|
`)
	for _, row := range rows {
		if !row.grows {
			continue
		}
		for i, unit := range row.units(found) {
			what := row.what
			if i > 0 {
				what = ""
			}
			fmt.Fprintf(&text, "| %s | %s |", cell(what), unit)
			for _, scale := range row.scales() {
				fmt.Fprintf(&text, " %s |", shown(found[row.keyAt(scale)], unit))
			}
			fmt.Fprintf(&text, " %s | %s |\n", growth(row, found, unit), growth(row, found, unit+measure.Bare))
		}
	}
	text.WriteString("\n## All figures\n\n| benchmark | catpaw | compared |\n|---|---|---|\n")
	for _, row := range rows {
		for _, scale := range row.scales() {
			ours, bare := found[row.keyAt(scale)].sides()
			if ours != nil {
				fmt.Fprintf(&text, "| %s | %s | %s |\n", row.keyAt(scale), ours, bare)
			}
		}
	}
	return text.String()
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func shown(f figures, unit string) string {
	if value, ok := f[unit]; ok {
		return short(value)
	}
	return "–"
}

// sides are the figures of catpaw and those of what it is compared with.
func (f figures) sides() (ours, bare figures) {
	for unit, value := range f {
		side := &ours
		if strings.HasSuffix(unit, measure.Bare) {
			side, unit = &bare, strings.TrimSuffix(unit, measure.Bare)
		}
		if *side == nil {
			*side = figures{}
		}
		(*side)[unit] = value
	}
	return ours, bare
}

// units are those of a row's own figures that a growth can be told of: time, memory, and how many in a second.
func (r row) units(found results) (units []string) {
	ours, _ := found[r.keyAt(smallest.String())].sides()
	for _, unit := range []string{"ms", "ms-cpu", "ms-p99", "events/s", "MiB", "B/alert"} {
		if _, ok := ours[unit]; ok {
			units = append(units, unit)
		}
	}
	return units
}

// perPiece are the units that are told for each piece already: they stay the same where the cost is linear.
var perPiece = []string{"events/s", "B/alert"}

// growth is how many times as much one piece costs at the largest size as at the smallest.
func growth(r row, found results, unit string) string {
	small, one := found[r.keyAt(smallest.String())][unit]
	large, sixteen := found[r.keyAt(largest.String())][unit]
	if !one || !sixteen || small <= 0 || large <= 0 {
		return "–"
	}
	return short(growthOf(strings.TrimSuffix(unit, measure.Bare), small, large, float64(largest)))
}

func growthOf(unit string, small, large, times float64) float64 {
	switch {
	case unit == "events/s":
		return small / large
	case slices.Contains(perPiece, unit):
		return large / small
	}
	return large / small / times
}

// machine is what the figures are of.
func machine() string {
	model := "unknown processors"
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
		}
	}
	kernel, _ := exec.Command("uname", "-sr").Output()
	commit, _ := exec.Command("git", "describe", "--always", "--exclude", "*").Output()
	return fmt.Sprintf("%s, commit %s: %s, %d processors, %s, %s, %s", time.Now().UTC().Format(time.DateOnly),
		strings.TrimSpace(string(commit)), model, runtime.NumCPU(), strings.TrimSpace(string(kernel)), runtime.Version(), runtime.GOARCH)
}
