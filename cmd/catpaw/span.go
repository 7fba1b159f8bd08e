package main

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// span prints seconds for people: about three figures, as more only hide them, and days where hours are too many to
// imagine.
func span(seconds float64) string {
	const day = 24 * time.Hour
	switch size := math.Abs(seconds); {
	case size > (2 * day).Seconds():
		return threeFigures(seconds/day.Seconds()) + "d"
	case size >= time.Hour.Seconds():
		return strings.TrimSuffix(rounded(seconds, time.Minute), "0s")
	case size >= time.Minute.Seconds():
		return rounded(seconds, time.Second)
	}
	unit := time.Nanosecond
	for float64(unit)*1000 <= math.Abs(seconds)*float64(time.Second) {
		unit *= 10
	}
	return rounded(seconds, unit)
}

func rounded(seconds float64, to time.Duration) string {
	return time.Duration(seconds * float64(time.Second)).Round(to).String()
}

// threeFigures keeps whole numbers whole.
func threeFigures(n float64) string {
	decimals := 2 - min(2, int(math.Log10(math.Abs(n))))
	text := strconv.FormatFloat(n, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
