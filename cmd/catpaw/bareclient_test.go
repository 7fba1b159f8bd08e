package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"catpaw/pipeline/pipetest"
)

// beBareClient makes this test binary post with a bare client: URL, events, concurrency.
const beBareClient = "CATPAW_TEST_BE_A_BARE_CLIENT"

func bareClient(order string) {
	var url string
	var events, concurrency int
	fmt.Sscan(order, &url, &events, &concurrency)
	event := pipetest.BurstMessage().JSON()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency}}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for next.Add(1) <= int64(events) {
				if err := post(client, url, event); err != nil {
					panic(err)
				}
			}
		})
	}
	workers.Wait()
}

func post(client *http.Client, url string, event []byte) error {
	response, err := client.Post(url, "application/json", bytes.NewReader(event))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
