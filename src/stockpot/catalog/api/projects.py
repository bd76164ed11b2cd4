"""Routes of projects."""

from fastapi import APIRouter

from stockpot.catalog.api.who import Admin, Member
from stockpot.catalog.models import NewProject, Project, ProjectSettings
from stockpot.catalog.service.projects import ProjectService


def project_routes(routes: APIRouter, projects: ProjectService) -> None:
    """List, create, change."""

    @routes.get("/projects", tags=["projects"])
    async def list_projects(principal: Member) -> tuple[Project, ...]:
        """The projects that are open to the caller, by name."""
        return await projects.all(principal)

    @routes.post("/projects", status_code=201, tags=["projects"])
    async def create_project(new: NewProject, principal: Admin) -> Project:
        """A new project, with the environments dev, staging and production."""
        return await projects.create(principal, new)

    @routes.patch("/projects/{name}", tags=["projects"])
    async def change_project(name: str, wanted: ProjectSettings, principal: Admin) -> Project:
        """Change what is given; null keeps."""
        return await projects.change(principal, name, wanted)

    @routes.delete("/projects/{name}/budget", status_code=204, tags=["projects"])
    async def remove_project_budget(name: str, principal: Admin) -> None:
        """Take the project's cap away."""
        await projects.remove_budget(principal, name)
