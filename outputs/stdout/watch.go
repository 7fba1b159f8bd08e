package stdout

import (
	"context"
	"os"

	"catpaw/pipeline"
)

// Watch returns when the reader of a pipe has left, so that `catpaw | head -1` ends at once and not
// only with the next event. Where standard output is no pipe it waits for ctx.
func (o *Output) Watch(ctx context.Context) error {
	if isPipe(os.Stdout) && readerGone(ctx, os.Stdout) {
		return pipeline.ErrReaderGone
	}
	<-ctx.Done()
	return nil
}
