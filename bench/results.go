package main

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Where the results are kept: for programs, for people, and as a picture.
const (
	resultsFile = "bench/results.txt"
	reportFile  = "bench/RESULTS.md"
	plotFile    = "bench/growth.svg"
)

// measured is what a benchmark gave, and when.
type measured struct {
	figures figures
	of      stamp
}

// results are all figures, by the key of a row and its size.
type results map[string]measured

// behind stands between the figures and their stamp.
const behind = " @ "

// readResults reads what write wrote; a file that is not there holds nothing.
func readResults(path string) (results, error) {
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	found, number := results{}, 0
	for line := range strings.Lines(string(text)) {
		number++
		line, of, _ := strings.Cut(strings.TrimSpace(line), behind)
		key, rest, _ := strings.Cut(line, " ")
		if key == "" {
			return nil, fmt.Errorf("%s:%d: an empty line", path, number)
		}
		figures, err := pairs(strings.Fields(rest))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", path, number, key, err)
		}
		at, commit, _ := strings.Cut(of, " ")
		found[key] = measured{figures, stamp{at, commit}}
	}
	return found, nil
}

// raw are the results as readResults reads them. Those of rows that are no more are dropped.
func raw(found results) string {
	var text strings.Builder
	for _, row := range rows {
		for _, key := range row.keys() {
			m, ok := found[key]
			if !ok {
				continue
			}
			text.WriteString(key)
			for _, unit := range slices.Sorted(maps.Keys(m.figures)) {
				fmt.Fprintf(&text, " %s %s", strconv.FormatFloat(m.figures[unit], 'g', 4, 64), unit)
			}
			if m.of != (stamp{}) {
				text.WriteString(behind + m.of.at + " " + m.of.commit)
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

// short is a number with three digits that count, of thousands without a fraction. What is rounded up to the next size is
// written as that one is: 9,999.6 as 10k, not as 10000.
func short(v float64) string {
	switch size := math.Abs(v); {
	case size >= 9_999.5:
		return strconv.FormatFloat(v/1000, 'f', 0, 64) + "k"
	case size >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case size >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case size < 0.005:
		return "0.00" // never -0.00
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
