// Package store keeps what must outlive a moment: the state of every live alert, and for each output
// the queue of what it has yet to deliver. It knows bytes and keys, not alerts.
package store

// State is the encoded state of one alert. Data nil removes it.
type State struct {
	Key  string
	Data []byte
}

// Row is one event in the queue of one output.
type Row struct {
	Queue string
	Seq   uint64 // set by the store, rising in each queue
	Key   string // alert key: rows of one key are delivered in order
	Data  []byte
}

// Tx is what one commit changes, all of it or nothing.
type Tx struct {
	States []State
	Rows   []Row
}
