package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"catpaw/internal/measure"
)

// Where the results are kept: for programs, for people, and as a picture.
const (
	resultsFile = "bench/results.txt"
	reportFile  = "bench/RESULTS.md"
	plotFile    = "bench/growth.svg"
)

// results are all figures, by the key of a row and its size.
type results map[string]figures

// readResults reads what write wrote; a file that is not there holds nothing.
func readResults(path string) (results, error) {
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	found := results{}
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if found[key], err = pairs(strings.Fields(rest)); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, key, err)
		}
	}
	return found, nil
}

// raw are the results as readResults reads them. Those of rows that are no more are dropped.
func raw(found results) string {
	var text strings.Builder
	for _, row := range rows {
		for _, scale := range row.scales() {
			key := row.keyAt(scale)
			if found[key] == nil {
				continue
			}
			text.WriteString(key)
			for _, unit := range slices.Sorted(maps.Keys(found[key])) {
				fmt.Fprintf(&text, " %s %s", strconv.FormatFloat(found[key][unit], 'g', 4, 64), unit)
			}
			text.WriteString("\n")
		}
	}
	return text.String()
}

func write(found results) error {
	for path, text := range map[string]string{resultsFile: raw(found), reportFile: report(found), plotFile: plot(found)} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// verdict is what a bound has to say about what was measured.
type verdict struct {
	ours, bare, value string // as people read them
	holds, measured   bool
}

func (v verdict) word() string {
	switch {
	case !v.measured:
		return "missing"
	case v.holds:
		return "holds"
	}
	return "BROKEN"
}

func (r row) verdict(found results, b bound) (v verdict) {
	f := found[r.keyAt(r.boundAt())]
	ours, there := f[b.unit]
	bare, compared := f[b.unit+measure.Bare]
	v = verdict{ours: short(ours), value: short(ours), measured: there && (b.alone || compared)}
	if !v.measured {
		return verdict{ours: "–", bare: "–", value: "not measured"}
	}
	judged := ours
	if !b.alone {
		judged = ours / bare
		v.bare, v.value = short(bare), short(judged)+" ×"
	}
	v.holds = judged <= b.limit
	if b.least {
		v.holds = judged >= b.limit
	}
	return v
}

// short is a number with three digits that count.
func short(v float64) string {
	switch {
	case v >= 10_000:
		return strconv.FormatFloat(v/1000, 'f', 0, 64) + "k"
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
