"""Objects of annotated photographs as foregrounds: `source=coco`, `source=yolo`, `source=voc`."""
