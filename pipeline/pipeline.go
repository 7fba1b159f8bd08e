// Package pipeline holds the words that the plugins speak (Event, Check, Input, Processor, Output) and
// the machinery that drives them.
package pipeline
