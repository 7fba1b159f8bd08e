package store

import (
	"fmt"
	"math"
	"testing"

	"go.uber.org/zap"
)

// BenchmarkTake takes 1,000 rows of different keys of a lane with 2,000, as after an outage: late ones, of which each may
// come with others of its key, beside those that are not.
func BenchmarkTake(b *testing.B) {
	const rows, batch = 2000, 1000
	s := Memory(zap.NewNop())
	defer s.Close()
	q := s.Open("a", Limits{Lanes: 1, Window: rows})
	var tx Tx
	for i := range rows {
		tx.Rows = append(tx.Rows, row(fmt.Sprint("key ", i), 1))
	}
	s.Commit(tx)
	for name, late := range map[string]int64{"late": math.MaxInt64, "in time": 0} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if n := len(q.Take(0, batch, late, nil)); n != batch {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/row")
		})
	}
}
