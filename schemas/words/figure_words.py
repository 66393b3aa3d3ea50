"""What figures are called: the columns of indicators, in Chinese and English. docs/indicators.md defines each."""

from collections.abc import Mapping

from schemas.words.field_words import FieldWords

FIGURES: Mapping[str, FieldWords] = {
    "absent": FieldWords("缺席", "absent"),
    "area": FieldWords("区域", "area"),
    "arrival_judged": FieldWords("到场可判", "arrival judged"),
    "arrival_rate": FieldWords("按时到场率", "arrived in time"),
    "arrival_seconds": FieldWords("到场用时", "time to arrival"),
    "arrived_in_time": FieldWords("按时到场", "arrived in time, count"),
    "basically_satisfied": FieldWords("基本满意", "on the whole satisfied"),
    "born_of_incidents": FieldWords("由事件引发", "born of incidents"),
    "cancelled": FieldWords("已取消", "cancelled"),
    "cases": FieldWords("件数", "cases"),
    "category": FieldWords("事项类别", "category"),
    "closed": FieldWords("已办结", "closed"),
    "closing_seconds": FieldWords("办结用时", "time to close"),
    "department": FieldWords("部门", "department"),
    "finish_judged": FieldWords("办结可判", "finish judged"),
    "finish_rate": FieldWords("按期办结率", "finished in time"),
    "finished_in_time": FieldWords("按期办结", "finished in time, count"),
    "handling_seconds": FieldWords("办理用时", "time to the result"),
    "incidents": FieldWords("事件数", "incidents"),
    "mean_score": FieldWords("平均得分", "mean score"),
    "month": FieldWords("月份", "month"),
    "not_satisfied": FieldWords("不满意", "not satisfied"),
    "not_solved": FieldWords("未解决", "not solved"),
    "open": FieldWords("在办", "open"),
    "opened": FieldWords("受理", "opened"),
    "opinions": FieldWords("有评价", "opinions"),
    "outcome_known": FieldWords("结果已知", "outcome known"),
    "partly_solved": FieldWords("部分解决", "partly solved"),
    "per_thousand_incidents": FieldWords("每千件事件吹哨数", "whistles per thousand incidents"),
    "released": FieldWords("免于到场", "released"),
    "reported": FieldWords("上报", "reported"),
    "resolution_rate": FieldWords("解决率", "resolution"),
    "responded_in_time": FieldWords("按时响应", "responded in time, count"),
    "response_judged": FieldWords("响应可判", "response judged"),
    "response_rate": FieldWords("响应率", "response in time"),
    "response_seconds": FieldWords("响应用时", "time to response"),
    "satisfaction_rate": FieldWords("满意率", "satisfaction"),
    "satisfied": FieldWords("满意", "satisfied"),
    "scored": FieldWords("已评分", "scored"),
    "set_aside": FieldWords("不计入", "set aside"),
    "solved": FieldWords("已解决", "solved"),
    "stage": FieldWords("环节", "stage"),
    "street": FieldWords("街道", "street"),
    "summoned": FieldWords("被吹哨", "summoned"),
    "title": FieldWords("业务", "procedure"),
    "type": FieldWords("吹哨类型", "type of whistle"),
    "unresolved": FieldWords("未解决终结", "unresolved"),
    "whistles": FieldWords("吹哨", "whistles"),
    "whistles_cancelled": FieldWords("取消吹哨", "whistles cancelled"),
}

MEDIAN = FieldWords("中位数", "median")
PERCENTILE_90 = FieldWords("90%以内", "nine in ten within")
EVERYTHING = FieldWords("全部", "all")
NOT_SAID = FieldWords("未分", "not said")
