package store

import (
	"math"
	"slices"
)

// lane is the rows of some keys, oldest first: rows, then those that only the file has, then tail.
type lane struct {
	rows []*Row
	last uint64 // the newest row of the file that is, or was, in rows
	more bool   // the file may have rows after last
	top  uint64 // the newest row that arrived on disk
	tail []*Row // newer than those of the file: the disk is in trouble
	out  []*Row // what the last Take gave
	wake chan struct{}

	coming bool // the transaction that is being written has rows for it
}

func (l *lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Parcel is what one message is made of: one row, or several of one key of which the last one tells the
// whole, as it closes the alert or is the newest.
type Parcel struct{ Rows []*Row }

// Last is the row that tells the whole.
func (p Parcel) Last() *Row { return p.Rows[len(p.Rows)-1] }

func (l *lane) handBack() {
	for _, row := range l.out {
		row.taken = false
	}
	l.out = l.out[:0]
}

// pick chooses among the rows in memory.
func (l *lane) pick(max int, late int64, brief bool, skip func(key string) bool) (parcels []Parcel) {
	if max == 1 { // the common case, without a map
		for _, row := range l.rows {
			if skip == nil || !skip(row.Key) {
				return []Parcel{parcelOf([]*Row{row}, late, brief, l.rows)}
			}
		}
		return nil
	}
	most := min(max, len(l.rows))
	seen := make(map[uint32]struct{}, most) // by hash: who shares one with another key only waits for the next batch
	parcels = make([]Parcel, 0, most)
	alone := make([]*Row, most) // what the parcels of one row are made of
	var byKey map[string][]*Row
	for _, row := range l.rows {
		if len(parcels) == max {
			break
		}
		if _, twice := seen[row.hash]; twice || skip != nil && skip(row.Key) {
			continue
		}
		seen[row.hash] = struct{}{}
		one := alone[len(parcels) : len(parcels)+1 : len(parcels)+1]
		one[0] = row
		if byKey == nil && row.Time < late { // once: to look through all rows for each took 6 µs a row, this takes a quarter of one
			if !brief && !slices.ContainsFunc(l.rows, func(row *Row) bool { return row.Closes }) {
				late = math.MinInt64 // nothing comes together: that is known in a fifth of the time
			} else {
				byKey = l.byKey()
			}
		}
		parcels = append(parcels, parcelOf(one, late, brief, byKey[row.Key]))
	}
	return parcels
}

func (l *lane) byKey() map[string][]*Row {
	rows := make(map[string][]*Row, len(l.rows))
	for _, row := range l.rows {
		rows[row.Key] = append(rows[row.Key], row)
	}
	return rows
}

// parcelOf adds to the first row of a key what belongs to it, where it is late: all rows of the key are among those given.
// A brief queue tells the newest of an alert only, whatever came before; others each time that it was over.
func parcelOf(alone []*Row, late int64, brief bool, among []*Row) Parcel {
	first := alone[0]
	if first.Time >= late || first.Closes && !brief {
		return Parcel{alone}
	}
	rows, before := []*Row{}, 0
	for _, row := range among {
		if row.Key != first.Key {
			continue
		}
		if rows = append(rows, row); row.Closes && !brief {
			return Parcel{rows}
		}
		if row.Time < late {
			before = len(rows)
		}
	}
	if brief {
		return Parcel{rows[:before]}
	}
	return Parcel{rows[:1]}
}

// settleTwin settles a row that was read from the file again while a worker had it.
func (l *lane) settleTwin(r *Row) {
	for _, other := range l.rows {
		if other.Seq == r.Seq && other != r {
			other.settled = true
		}
	}
}

// dropSettled takes the settled rows off a lane.
func (l *lane) dropSettled() {
	l.rows = unsettled(l.rows)
	l.tail = unsettled(l.tail)
}

// unsettled drops settled rows. They are at the beginning as a rule.
func unsettled(rows []*Row) []*Row {
	first := 0
	for first < len(rows) && rows[first].settled {
		rows[first] = nil
		first++
	}
	rows = rows[first:]
	kept := rows[:0]
	for _, row := range rows {
		if !row.settled {
			kept = append(kept, row)
		}
	}
	clear(rows[len(kept):])
	if len(kept) == 0 {
		return nil // the array behind it may once have held a long outage
	}
	return kept
}
