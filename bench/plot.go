package main

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"catpaw/internal/measure"
)

// The picture is a grid of small plots, one for each row that grows. Both axes are logarithmic: size to the right, cost
// upwards, so that linear growth is the grey diagonal, and flat is flat.
const (
	plotsAcross  = 4
	plotWidth    = 200
	plotHeight   = 120
	marginX      = 24
	marginBottom = 52 // of the caption
)

// colours of the lines, by unit.
var colours = []struct{ unit, colour string }{
	{"ms", "#1f77b4"}, {"ms-cpu", "#d62728"}, {"MiB", "#2ca02c"}, {"MiB-added", "#bcbd22"}, {"events/s", "#1f77b4"}, {"ms-p99", "#9467bd"}, {"B/alert", "#8c564b"},
}

// plot is growth.svg.
func plot(found results) string {
	var shown []row
	for _, row := range rows {
		if row.grows && len(row.units(found)) > 0 {
			shown = append(shown, row)
		}
	}
	var svg strings.Builder
	lines := (len(shown) + plotsAcross - 1) / plotsAcross
	width, height := plotsAcross*(plotWidth+marginX)+marginX, lines*(plotHeight+marginBottom)+40
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="10">`+"\n", width, height)
	fmt.Fprintf(&svg, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	legend(&svg)
	for i, row := range shown {
		x, y := marginX+i%plotsAcross*(plotWidth+marginX), 32+i/plotsAcross*(plotHeight+marginBottom)
		fmt.Fprintf(&svg, `<g transform="translate(%d %d)">`+"\n", x, y)
		panel(&svg, row, found)
		svg.WriteString("</g>\n")
	}
	svg.WriteString("</svg>\n")
	return svg.String()
}

func legend(svg *strings.Builder) {
	x := marginX
	for _, c := range colours {
		if c.unit == "events/s" { // its line is that of time
			continue
		}
		fmt.Fprintf(svg, `<text x="%d" y="16" fill="%s">%s</text>`+"\n", x, c.colour, c.unit)
		x += 60
	}
	fmt.Fprintf(svg, `<text x="%d" y="16" fill="#888">grey: linear; dashed: what it is compared with. Cost of all, relative to its own at size 1</text>`+"\n", x)
}

func panel(svg *strings.Builder, r row, found results) {
	fmt.Fprintf(svg, `<rect width="%d" height="%d" fill="none" stroke="#ccc"/>`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(svg, `<path d="M%s L%s" stroke="#bbb" fill="none"/>`+"\n", point(smallest, float64(smallest)), point(largest, float64(largest)))
	for _, scale := range measure.Scales {
		fmt.Fprintf(svg, `<text x="%.0f" y="%d" fill="#888" text-anchor="middle">× %d</text>`+"\n", across(scale), plotHeight+12, scale)
	}
	fmt.Fprintf(svg, `<text y="%d">%s</text>`+"\n", plotHeight+26, escape(caption(r.what)))
	for _, c := range colours {
		line(svg, r, found, c.unit, c.unit, c.colour, "")
		line(svg, r, found, c.unit+measure.Bare, c.unit, c.colour, ` stroke-dasharray="3 3" opacity="0.6"`)
	}
}

// line draws one figure over all sizes, relative to the first, where all are of the same program.
func line(svg *strings.Builder, r row, found results, name, unit, colour, style string) {
	at := found[r.keyAt(smallest.String())]
	first := at.figures[name]
	var path []string
	for _, scale := range measure.Scales {
		m := found[r.keyAt(scale.String())]
		value, ok := m.figures[name]
		if !ok || value <= 0 || first <= 0 || m.of.commit != at.of.commit {
			return
		}
		path = append(path, point(scale, growthOf(unit, first, value, float64(scale))*float64(scale)))
	}
	fmt.Fprintf(svg, `<path d="M%s" stroke="%s" fill="none" stroke-width="1.5"%s/>`+"\n", strings.Join(path, " L"), colour, style)
}

// across and point are the places of a size and a cost, from a quarter of the smallest to four times the largest.
func across(size measure.Scale) float64 {
	return 12 + math.Log2(float64(size))/math.Log2(float64(largest))*(plotWidth-24)
}

func point(size measure.Scale, cost float64) string {
	least, most := math.Log2(float64(smallest)/4), math.Log2(float64(largest)*4)
	up := (min(max(math.Log2(cost), least), most) - least) / (most - least)
	return fmt.Sprintf("%.1f %.1f", across(size), plotHeight*(1-up))
}

// caption is as much of a text as fits below a plot, in whole words where there are blanks.
func caption(text string) string {
	const most = 44 // bytes
	if len(text) <= most {
		return text
	}
	end := strings.LastIndexByte(text[:most], ' ')
	if end < 0 {
		for end = most; !utf8.RuneStart(text[end]); {
			end--
		}
	}
	return text[:end] + " …"
}

func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "").Replace(text)
}
