package file

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/philoxenia/philoxenia/adapters/image/checksum"
	"github.com/philoxenia/philoxenia/adapters/transport/transfer"
	"github.com/philoxenia/philoxenia/service/workspace"
)

// Deliver copies an image of the host into the repository, where it survives a
// power cut once Deliver has returned, with its checksum beside it.
func (t *Transport) Deliver(
	ctx context.Context, d workspace.Deliver,
) (workspace.ImageInfo, error) {
	info, err := t.deliver(ctx, d)
	return transfer.Result("deliver the image", d.Location, info, err)
}

func (t *Transport) deliver(
	ctx context.Context, d workspace.Deliver,
) (workspace.ImageInfo, error) {
	name, err := t.name(d.Location)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	if err := ctx.Err(); err != nil {
		return workspace.ImageInfo{}, err
	}
	there, err := t.in().Lstat(name)
	if err == nil {
		err = transfer.Replaceable(there)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return workspace.ImageInfo{}, err
	}
	src, err := openHost(d.Path)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	defer src.Close()
	j := job{src: src, dir: images{t.in()}, target: name, hash: true, sync: true,
		rate: d.Rate, progress: d.Progress}
	info, err := j.run(ctx)
	if err != nil {
		return workspace.ImageInfo{}, err
	}
	return info, t.writeSum(name, info.SHA256)
}

// writeSum puts the checksum beside an image, at one stroke and for good.
func (t *Transport) writeSum(name, sum string) error {
	if beside, err := transfer.BesideAlone(name, t.sums); err == nil && beside == sum {
		return nil
	}
	part, err := transfer.Create(t.in(), name+checksum.Suffix)
	if err != nil {
		return err
	}
	defer part.Close()
	_, err = part.WriteString(checksum.Line(sum, filepath.Base(name)))
	if err == nil {
		err = part.Land(true, time.Time{})
	}
	if err != nil {
		part.Discard()
	}
	return err
}
