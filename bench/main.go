// Bench runs the benchmarks that have a bound, each beside its comparison, and writes RESULTS.md and growth.svg.
//
//	go run ./bench            measure everything, what grows at all of measure.Scales
//	go run ./bench -only NAME measure what the expression fits; all else stays as it was measured before
//	go run ./bench -check     measure what has a bound, write nothing, and fail where one is broken
//
// It is run at the root of the repository.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
)

func main() {
	check := flag.Bool("check", false, "judge the bounds; write nothing")
	only := flag.String("only", "", "measure only the benchmarks whose names this regular expression fits")
	flag.Parse()
	if err := run(*check, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(check bool, only string) error {
	chosen, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(rows, func(r row) bool { return chosen.MatchString(r.key()) }) {
		return fmt.Errorf("no benchmark fits %q; bench/rows.go lists them", only)
	}
	if check {
		return checkBounds(chosen)
	}
	found, err := readResults(resultsFile)
	if err != nil {
		return err
	}
	fmt.Printf("writes %s, %s and %s\n", reportFile, resultsFile, plotFile)
	err = measureAll(found, chosen, row.scales, write)
	judge(found, chosen)
	return err
}

// checkBounds measures what bounds need, and fails where one is broken, and where there is none: silence would pass for
// bounds that hold.
func checkBounds(chosen *regexp.Regexp) error {
	if !slices.ContainsFunc(rows, func(r row) bool { return len(r.bounds) > 0 && chosen.MatchString(r.key()) }) {
		return fmt.Errorf("nothing that %q fits has a bound; bench/rows.go lists them", chosen)
	}
	found := results{}
	err := measureAll(found, chosen, row.judged, func(results) error { return nil })
	if broken := judge(found, chosen); broken > 0 {
		err = errors.Join(err, fmt.Errorf("%d bounds do not hold, or could not be measured", broken))
	}
	return err
}

// measureAll measures the chosen rows at these scales of each, and keeps what there is after each. One that fails keeps no
// other from being measured.
func measureAll(found results, chosen *regexp.Regexp, scales func(row) []string, keep func(results) error) error {
	var failed []error
	for _, row := range rows {
		if !chosen.MatchString(row.key()) {
			continue
		}
		for _, scale := range scales(row) {
			if err := row.measure(found, scale); err != nil {
				fmt.Println(err)
				failed = append(failed, err)
			}
		}
		if err := keep(found); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// judge prints what was measured of each bound and counts the broken ones. What could not be measured is broken, too.
func judge(found results, chosen *regexp.Regexp) (broken int) {
	for _, row := range rows {
		for _, b := range row.bounds {
			if !chosen.MatchString(row.key()) {
				continue
			}
			v := row.verdict(found, b)
			if !v.holds {
				broken++
			}
			fmt.Printf("%-8s %s: %s %s, bound %s\n", v.word(), row.what, b.unit, v.value, b)
		}
	}
	return broken
}
