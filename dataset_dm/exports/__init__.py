"""Other formats: a set written in one, and corrected files brought back into a new version of the set.

export_set("coco16", "coco", Path("coco16_json"))                        → Exported: rows, and what was lost
import_set(Path("coco16_json"), "coco", "coco16", Path("coco16_v2"))     → Imported: what the review changed
FORMATS["yolo"].cannot                                                   → what the format cannot hold
"""

from dataset_dm.exports.export_set import Exported, export_set
from dataset_dm.exports.formats import FORMATS, cannot_hold, find_format
from dataset_dm.exports.import_set import Imported, import_set

__all__ = ["FORMATS", "Exported", "Imported", "cannot_hold", "export_set", "find_format", "import_set"]
