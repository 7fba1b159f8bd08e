package main

import (
	"fmt"

	"catpaw/internal/measure"
)

// bound is what a figure has to keep.
type bound struct {
	unit  string
	limit float64
	least bool // the limit is the least, not the most
	kind  kind
}

// kind is what of a figure is bound.
type kind struct {
	judged   func(ours, bare float64) float64
	compares bool   // it needs the comparison's figure
	unit     string // of what is judged, for people
}

var (
	asRatio      = kind{func(ours, bare float64) float64 { return ours / bare }, true, " ×"}
	asDifference = kind{func(ours, bare float64) float64 { return ours - bare }, true, " more"}
	asItIs       = kind{func(ours, _ float64) float64 { return ours }, false, ""}
)

func ratio(unit string, most float64) bound    { return bound{unit, most, false, asRatio} }
func atLeast(unit string, least float64) bound { return bound{unit, least, true, asRatio} }
func above(unit string, most float64) bound    { return bound{unit, most, false, asDifference} }
func alone(unit string, most float64) bound    { return bound{unit, most, false, asItIs} }

func (b bound) String() string {
	sign := "≤"
	if b.least {
		sign = "≥"
	}
	return fmt.Sprintf("%s %g%s", sign, b.limit, b.kind.unit)
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
	f := found[r.keyAt(r.boundAt())].figures
	ours, there := f[b.unit]
	bare, compared := f[b.unit+measure.Bare]
	if !there || b.kind.compares && !compared {
		return verdict{ours: "–", bare: "–", value: "not measured"}
	}
	judged := b.kind.judged(ours, bare)
	v = verdict{ours: short(ours), value: short(judged) + b.kind.unit, measured: true, holds: judged <= b.limit}
	if b.kind.compares {
		v.bare = short(bare)
	}
	if b.least {
		v.holds = judged >= b.limit
	}
	return v
}
