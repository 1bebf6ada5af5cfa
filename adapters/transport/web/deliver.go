package web

import (
	"context"
	"io"
	"net/http"
	"os"
	"path"
	"strings"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Deliver brings an image of the host to the server with PUT, and its checksum
// beside it. Servers show what is put once all of it has come. No server goes
// on with a PUT that was broken off: the next Deliver begins anew.
func (t *Transport) Deliver(
	ctx context.Context, d workspace.Deliver,
) (workspace.ImageInfo, error) {
	info, err := t.deliver(ctx, d)
	return transfer.Result("deliver the image", d.Location, info, err)
}

func (t *Transport) deliver(
	ctx context.Context, d workspace.Deliver,
) (workspace.ImageInfo, error) {
	p, err := t.place(d.Location)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	f, stat, err := transfer.OpenHost(d.Path)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer f.Close()
	ctx, watch := t.watch(ctx)
	defer watch.stop()
	g := &putter{place: p, Deliver: d, watch: watch, from: f, stat: stat}
	if g.info, err = transfer.Inspect(f, stat.Size(), 0); err != nil {
		return workspace.ImageInfo{}, err
	}
	return g.info, g.put(ctx)
}

// putter is one Deliver under way.
type putter struct {
	place
	workspace.Deliver
	watch *watch
	from  *os.File
	stat  os.FileInfo
	info  workspace.ImageInfo
}

// put takes the checksum first, by which work that is done is known, and so
// that no checksum ever stands beside an image that is not its own: the old one
// goes before the new image comes.
func (g *putter) put(ctx context.Context) error {
	sum := transfer.NewSum()
	if err := sum.AddReader(ctx, g.watch.reader(g.whole())); err != nil {
		return err
	}
	g.info.SHA256 = sum.Text()
	if g.found(ctx) {
		return nil
	}
	beside := g.address(g.name + checksum.Suffix)
	if err := g.remove(ctx, beside); err != nil {
		return err
	}
	meter := transfer.NewMeter(g.Progress, g.stat.Size())
	meter.Reach(0)
	pace := transfer.NewPace(g.Rate, g.watch.touch)
	body := meter.Reader(pace.Reader(ctx, g.watch.reader(g.whole())))
	if err := g.send(ctx, g.url, body, g.stat.Size()); err != nil {
		return err
	}
	if err := g.verify(ctx); err != nil {
		return err
	}
	line := checksum.Line(g.info.SHA256, path.Base(g.name))
	return g.send(ctx, beside, strings.NewReader(line), int64(len(line)))
}

// whole reads the image from its beginning.
func (g *putter) whole() io.Reader { return io.NewSectionReader(g.from, 0, g.stat.Size()) }

// found tells whether an earlier Deliver has done the work.
func (g *putter) found(ctx context.Context) bool {
	there, err := g.look(ctx)
	if err != nil || there.size != g.stat.Size() {
		return false
	}
	beside, err := transfer.BesideAlone(g.name, g.sums(ctx))
	return err == nil && beside == g.info.SHA256
}

// remove takes away what may be there.
func (g *putter) remove(ctx context.Context, url string) error {
	r, err := g.request(ctx, http.MethodDelete, url)
	if err != nil {
		return err
	}
	answer, err := g.do(r, http.StatusOK, http.StatusNoContent, http.StatusAccepted,
		http.StatusNotFound)
	if err != nil {
		return err
	}
	hush(answer)
	return nil
}

func (g *putter) send(ctx context.Context, url string, body io.Reader, size int64) error {
	r, err := g.request(ctx, http.MethodPut, url)
	if err != nil {
		return err
	}
	r.Body, r.ContentLength = io.NopCloser(body), size
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("Expect", "100-continue") // a refusal saves the sending
	answer, err := g.do(r, http.StatusOK, http.StatusCreated, http.StatusNoContent)
	if err != nil {
		return err
	}
	hush(answer)
	return nil
}

// verify makes sure that all arrived and that it was one image all the time.
func (g *putter) verify(ctx context.Context) error {
	if err := transfer.Unchanged(g.from, g.stat); err != nil {
		return err
	}
	there, err := g.look(ctx)
	if err != nil {
		return err
	}
	if there.size != g.stat.Size() {
		return workspace.Refuse(workspace.Transient, "%d bytes arrived, expected %d",
			there.size, g.stat.Size())
	}
	return nil
}
