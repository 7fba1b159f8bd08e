package stdout

import (
	"os"
	"testing"
)

// BenchmarkStdout prints full batches to /dev/null, beside the bare writes of the same bytes.
func BenchmarkStdout(b *testing.B) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	const size = 1000
	batch := events(0, size)
	perSecond := func(b *testing.B) { b.ReportMetric(float64(b.N)*size/b.Elapsed().Seconds(), "events/s") }
	for _, format := range []string{"json", "text"} {
		b.Run(format, func(b *testing.B) {
			o := open(b, format, newStream(null, false))
			b.ReportAllocs()
			for b.Loop() {
				o.Write(b.Context(), batch)
			}
			perSecond(b)
		})
	}
	b.Run("bare", func(b *testing.B) {
		data := []byte(text(0, size))
		b.ReportAllocs()
		for b.Loop() {
			null.Write(data)
		}
		perSecond(b)
	})
}
