package command

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Interruptible is a context that ends at the first signal to end: Ctrl-C, TERM, or HUP when the
// terminal goes away. After it, Ctrl-C and TERM end the program at once. Only verbs that have
// something to save need it: every other one ends at the signal itself.
//
// A signal that the parent process ignored, as nohup does, stays ignored. A reader of
// standard error that went away ends nothing.
func Interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 4)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE) // or the runtime ends the program at the first line of messages
	done := make(chan struct{})
	go func() {
		for {
			select {
			case s := <-signals:
				if ctx.Err() != nil && s != syscall.SIGHUP { // a terminal that closes may send HUP twice
					os.Exit(Interrupted)
				}
				cancel()
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		signal.Stop(pipe)
		close(done)
		cancel()
	}
}
