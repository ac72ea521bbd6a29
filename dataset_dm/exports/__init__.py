"""Other formats: export a set, and import corrected files as a new version of the set.

export_set("coco16", "coco", Path("coco16_json"))                        → Exported: rows, and lost labels
import_set(Path("coco16_json"), "coco", "coco16", Path("coco16_v2"))     → Imported: the changes of the review
FORMATS["yolo"].unsupported                                              → labels that the format cannot store
"""

from dataset_dm.exports.export_set import Exported, export_set
from dataset_dm.exports.formats import FORMATS, find_format
from dataset_dm.exports.import_set import Imported, import_set

__all__ = ["FORMATS", "Exported", "Imported", "export_set", "find_format", "import_set"]
