package store

import (
	"fmt"
	"math"
	"testing"

	"go.uber.org/zap"
)

// BenchmarkTake takes 1,000 rows of different keys of a lane with 2,000: some in time, and as after an outage late ones, where
// one of them closes its alert, so that others may come with it, and where none does.
func BenchmarkTake(b *testing.B) {
	for name, c := range map[string]struct {
		late  int64
		close bool
	}{"InTime": {0, true}, "Late": {math.MaxInt64, false}, "LateAndClosed": {math.MaxInt64, true}} {
		b.Run(name, func(b *testing.B) {
			const rows, batch = 2000, 1000
			s := Memory(zap.NewNop())
			defer s.Close()
			q := s.Open("a", Limits{Lanes: 1, Window: rows})
			var tx Tx
			for i := range rows {
				tx.Rows = append(tx.Rows, row(fmt.Sprint("key ", i), 1))
			}
			tx.Rows[rows-1].Closes = c.close
			s.Commit(tx)
			for b.Loop() {
				if n := len(q.Take(0, batch, c.late, nil)); n != batch {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/row")
		})
	}
}
