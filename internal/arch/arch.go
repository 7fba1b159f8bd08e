// Package arch holds the shape of the house: its test reads every import and fails on a wrong arrow.
package arch
