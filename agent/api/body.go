package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

const (
	// maxBody is how many bytes what is posted to the API may have.
	maxBody = 1 << 16
	// bodyWithin is how long that may take to arrive.
	bodyWithin = 5 * time.Second
	// mostBodies is how many are read at a time over TCP: 4 MiB.
	mostBodies = 64
)

// withBody reads the body before next is called: who sends one slowly, or without end, must not have a place among
// those who are answered meanwhile.
func withBody(reading places, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		if !reading.take(w, r) {
			return
		}
		body, err := readBody(w, r)
		reading.leave()
		if err != nil {
			w.Header().Set("Connection", "close") // the rest of it may never come
			reply(w)(nil, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(bodyWithin))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	_ = connection.SetReadDeadline(time.Time{}) // else it ends the request that is being answered
	if err != nil {
		return nil, fmt.Errorf("the body cannot be read: %w", err)
	}
	return body, nil
}

// readForm reads the parameters, of the query and of a form that was posted: FormValue would leave out what it cannot
// read.
func readForm(r *http.Request) error {
	err := r.ParseForm()
	if err == nil {
		if err = r.ParseMultipartForm(maxBody); errors.Is(err, http.ErrNotMultipart) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("the query or the form cannot be read: %w", err)
	}
	return nil
}

// statusOf is how HTTP calls an error, and what is said of it.
func statusOf(err error) (code int, text string) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is too large: at most %d bytes", maxBody)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout, fmt.Sprintf("the body did not arrive within %s", bodyWithin)
	}
	return http.StatusUnprocessableEntity, err.Error()
}
