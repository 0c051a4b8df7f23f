// Package catalog holds the accelerators that are known, one record a file under accelerators/.
package catalog
