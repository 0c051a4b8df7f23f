// Package catalog holds what is known of training beside formulas: published measurements of speed, memory and whole
// runs, each with its source, and how clusters are wired.
package catalog
