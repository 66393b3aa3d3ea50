"""Whose pages these are: what the foot of every page says, and the number that somebody rings who does not get on."""

from pydantic import Field

from schemas.contracts.department_policy import Name
from schemas.values.model import Model

PHONE = r"^\+?[0-9][0-9 -]{1,18}[0-9]$"


class Hall(Model):
    """The service hall 政务服务大厅: where people do on paper what they cannot do on a page.

    Where nothing is said in English, a page in English has the Chinese.
    """

    name: Name
    phone: str = Field(pattern=PHONE)
    address: str = Field(min_length=1, max_length=200)
    open: str = Field(min_length=1, max_length=100)
    address_en: str = Field(default="", max_length=200)
    open_en: str = Field(default="", max_length=100)


class SitePolicy(Model):
    """policies/site.yaml: what the pages say of the town.

    `host` 主办单位; `identifier` 政府网站标识码, ten digits; `icp` ICP备案号; `complaints`: the number for 投诉建议 about these
    pages. What a town has not been given yet is left out, and does not stand in the foot.
    """

    version: str = Field(min_length=1)
    host: Name
    hall: Hall
    complaints: str = Field(pattern=PHONE)
    identifier: str | None = Field(default=None, pattern=r"^[0-9]{10}$")
    icp: str | None = Field(default=None, pattern=r"^.{1,3}ICP[备证][0-9]{6,10}号(-[0-9]{1,3})?$")
