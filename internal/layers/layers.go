// Package layers holds one test: who may import whom. The table there is the map of the repository; read it first.
package layers
