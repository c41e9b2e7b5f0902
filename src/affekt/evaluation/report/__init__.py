"""Reports: one page with everything an evaluation or a data set has to say, and its figures as PNG and JSON."""

from affekt.evaluation.report.build import write_report
from affekt.evaluation.report.data_report import write_data_report
from affekt.evaluation.report.write import report_on

__all__ = ["report_on", "write_data_report", "write_report"]
