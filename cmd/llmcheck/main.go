// Command llmcheck answers what a company should know before it adopts a large language model. Run llmcheck help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/llmcheck/llmcheck/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	code := cli.Main(ctx, os.Args[1:], cli.System())
	stop()
	os.Exit(int(code))
}
