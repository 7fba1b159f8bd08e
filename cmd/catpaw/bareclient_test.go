package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// beBareClient makes this test binary post with a bare client: URL, events, concurrency.
const beBareClient = "CATPAW_TEST_BE_A_BARE_CLIENT"

const anEvent = `{"event_time":1734339605,"event_status":"Warning","alert_key":"4f1b21a435253bf868a1249d3ba7715f","labels":{"check":"disk usage","from_plugin":"exec","mount":"/data/1234"},"title_rule":"$check","description":"34 % used of a disk that ought to hold the data of customer 1234","id":"0193c0ffee00000000000000000000ff","title":"disk usage","first_fire_time":1734339605,"notify_count":1}`

func bareClient(order string) {
	var url string
	var events, concurrency int
	fmt.Sscan(order, &url, &events, &concurrency)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency}}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for next.Add(1) <= int64(events) {
				if err := post(client, url); err != nil {
					panic(err)
				}
			}
		})
	}
	workers.Wait()
}

func post(client *http.Client, url string) error {
	response, err := client.Post(url, "application/json", strings.NewReader(anEvent))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
