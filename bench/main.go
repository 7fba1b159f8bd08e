// Bench runs the benchmarks that have a bound, each beside its comparison, and writes RESULTS.md and growth.svg.
//
//	go run ./bench            measure everything, what grows at all of measure.Scales; what has a bound first
//	go run ./bench -only NAME measure what the expression fits; all else stays as it was measured before
//	go run ./bench -check     measure what has a bound, write nothing, and fail where one is broken
//
// It is run at the root of the repository.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
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
	if check {
		return checkBounds(chosen)
	}
	found, err := readResults(resultsFile)
	if err != nil {
		return err
	}
	for _, wanted := range []pass{forBounds, forRest} { // whoever interrupts this has the bounds first
		if err := measureAll(found, chosen, wanted, write); err != nil {
			return err
		}
	}
	judge(found, chosen)
	return nil
}

// checkBounds measures what bounds need, and fails where one is broken.
func checkBounds(chosen *regexp.Regexp) error {
	found := results{}
	if err := measureAll(found, chosen, forBounds, func(results) error { return nil }); err != nil {
		return err
	}
	if broken := judge(found, chosen); broken > 0 {
		return fmt.Errorf("%d bounds are broken", broken)
	}
	return nil
}

// measureAll measures the chosen rows, and keeps what there is after each.
func measureAll(found results, chosen *regexp.Regexp, wanted pass, keep func(results) error) error {
	for _, row := range rows {
		if !chosen.MatchString(row.key()) {
			continue
		}
		if err := row.measure(found, wanted); err != nil {
			return err
		}
		if err := keep(found); err != nil {
			return err
		}
	}
	return nil
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
