package webhook

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"catpaw/pipeline"
)

const workers = 32

// BenchmarkPost sends one event a request, 32 at a time, beside a bare client with kept connections.
func BenchmarkPost(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	batch := events(1)
	b.Run("webhook", func(b *testing.B) {
		o := open(b, "url = %q", server.URL)
		concurrently(b, func() error {
			if v := o.Write(b.Context(), batch); v != nil {
				return v[0]
			}
			return nil
		})
	})
	b.Run("bare", func(b *testing.B) {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}
		defer client.CloseIdleConnections()
		concurrently(b, func() error {
			r, err := client.Post(server.URL, "application/json", bytes.NewReader(batch[0].JSON()))
			if err != nil {
				return err
			}
			defer r.Body.Close()
			_, err = io.Copy(io.Discard, r.Body)
			return err
		})
	})
}

func concurrently(b *testing.B, once func() error) {
	b.ReportAllocs()
	jobs := make(chan struct{}, workers)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range jobs {
				if err := once(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for b.Loop() {
		jobs <- struct{}{}
	}
	close(jobs)
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkEncode makes bodies: the event as it is, an array of a hundred, a template.
func BenchmarkEncode(b *testing.B) {
	for name, options := range map[string]string{
		"event":        ``,
		"array of 100": `batch = 100`,
		"template":     `body = '{"text": "{{.Title}} on {{.Labels.from_hostname}}: {{.Text}}", "n": {{.NotifyCount}}}'`,
	} {
		b.Run(name, func(b *testing.B) {
			o := open(b, "url = 'http://host/'\n%s", options)
			batch := events(o.BatchSize())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := o.encode.batch(batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "events/s")
		})
	}
}

var _ pipeline.Output = (*Output)(nil)
